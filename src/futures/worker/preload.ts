// What the template of start method "forkserver" imports, so that its children have all of it at once: the worker's
// modules, and the functions of libc and libuv that they would look up first of all.
import { close, O_CLOEXEC, O_NONBLOCK, pipe2 } from '../../os/descriptor.ts';
import { Poll, POLLIN } from '../../os/poll.ts';
import { ProcessMemory } from '../channel/process-memory.ts';
// oxlint-disable-next-line import/no-unassigned-import -- for what its loading does
import './attach.ts';

const [read, write] = pipe2(O_CLOEXEC | O_NONBLOCK);
new Poll(read, () => {}).start(POLLIN).close();
close(read);
close(write);
ProcessMemory.take().release();
