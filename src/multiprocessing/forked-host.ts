import { Socket } from 'node:net';
import { becomeWorker, checkMayStart } from '../callable/guard.ts';
import { FramedConnection } from '../ipc/framed-connection.ts';
import { close } from '../os/descriptor.ts';
import type { ExitWatch } from '../os/pidfd.ts';
import { openPair } from '../socket/native.ts';
import { becomeForked, nextName } from './current.ts';
import { forkCopy } from './fork-copy.ts';
import { ForkedChild, patience } from './forked-child.ts';
import { tieToParent } from './run-process.ts';
import { serveForked } from './serve-forked.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const hello = Buffer.from([1]);

let count = 0;

/** A copy of this process that is sent its functions, made when the program next comes back to its event loop. */
export function forkHost({ daemon }: { readonly daemon: boolean }): ForkedChild {
  checkMayStart('process');
  const identity = { name: nextName(), daemon, parentPid: process.pid };
  let held = false;
  let watch: ExitWatch | undefined;
  const child = new ForkedChild({
    id: ++count,
    daemon,
    hold: (wanted) => {
      held = wanted;
      setHold(watch, held);
    },
  });
  let ends: readonly [ours: number, theirs: number] | undefined;
  forkCopy(
    () => {
      close(ends![0]);
      becomeForked(identity);
      becomeHost(ends![1], identity.parentPid);
    },
    {
      // Not sooner: another copy would inherit this one's end, and keep it open.
      before: () => (ends = openPair(AF_UNIX, SOCK_STREAM, 0)),
      forked: (pid, itsWatch) => {
        watch = itsWatch;
        setHold(watch, held);
        close(ends![1]);
        child.forked(pid);
        void greet(child, ends![0]);
      },
      exited: (exit) => {
        if (watch === undefined) for (const end of ends ?? []) close(end);
        child.exited(exit);
      },
    },
  );
  return child;
}

function setHold(watch: ExitWatch | undefined, held: boolean): void {
  if (held) watch?.ref();
  else watch?.unref();
}

async function greet(child: ForkedChild, fd: number): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.unref();
  const connection = new FramedConnection(socket);
  try {
    await connection.receive({ timeout: patience.hello });
    child.connected(connection, socket);
  } catch {
    socket.destroy(); // its end, or that it has said nothing, is told elsewhere
  }
}

function becomeHost(fd: number, parent: number): void {
  becomeWorker();
  // Ctrl-C reaches the whole foreground group; the parent decides what becomes of its children.
  process.on('SIGINT', () => {});
  tieToParent(parent);
  serveForked(new FramedConnection(new Socket({ fd, readable: true, writable: true })), hello);
}
