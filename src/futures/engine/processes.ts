import { onFreshStart } from '../../base/fresh-start.ts';
import type { Host } from '../../callable/host.ts';
import { preloadInForkserver } from '../../multiprocessing/forkserver.ts';
import { startHost } from '../../multiprocessing/start-host.ts';
import type { StartMethod } from '../../multiprocessing/start-method.ts';
import { checkStartMethod } from '../../multiprocessing/start-method.ts';
import { close, O_CLOEXEC, O_NONBLOCK, pipe2 } from '../../os/descriptor.ts';
import { Poll, POLLIN } from '../../os/poll.ts';
import { ProcessMemory } from '../channel/process-memory.ts';
import { drain, writeByte } from '../worker/bell.ts';
import type { Link, Workshop } from './link.ts';

/** Workers that are processes. */
export class Processes implements Workshop {
  readonly kind = 'process';
  readonly #method: StartMethod;
  readonly #read: number;
  readonly #write: number;
  readonly #poll: Poll;
  readonly #links = new Set<Link>();
  readonly #preloaded: Promise<unknown> | undefined;
  #rung: (() => void) | undefined;

  /** UnsupportedError where there is no making processes this way. */
  constructor(method: StartMethod) {
    checkStartMethod(method, 'startMethod');
    this.#method = method;
    // Else each copy would load them for itself.
    if (method === 'fork') this.#preloaded = import('../worker/preload.ts');
    if (method === 'forkserver') preloadInForkserver(new URL('../worker/preload.js', import.meta.url).href);
    const [read, write] = pipe2(O_CLOEXEC | O_NONBLOCK);
    this.#read = read;
    this.#write = write;
    this.#poll = new Poll(read, () => {
      drain(read);
      this.#rung?.();
    });
    this.#poll.start(POLLIN);
    this.#poll.unref();
    ProcessMemory.pool(true);
    open.add(this);
  }

  make(): Link {
    // First, as it may be refused.
    const started = startHost(this.#method, { daemon: false, after: this.#preloaded });
    const { host } = started;
    const { memory, read, write } = wires(host);
    const link: Link = {
      host,
      memory,
      attachment: { kind: 'process', memory: memory.handle(), bell: this.#write, wake: read },
      get name() {
        return started.pid === undefined ? host.name : `process ${started.pid}`;
      },
      get pid() {
        return started.pid;
      },
      parent: this.#method === 'forkserver' ? undefined : process.pid,
      wakeLoop: () => writeByte(write),
      kill: (signal) => (signal === 'SIGKILL' ? void host.terminate() : orGone(() => started.kill(signal))),
      release: () => {
        this.#links.delete(link);
        close(read);
        close(write);
        memory.release();
      },
    };
    this.#links.add(link);
    return link;
  }

  /** As `close`, with workers that live on. */
  abandon(): void {
    for (const link of this.#links) link.release();
    this.close();
  }

  rings(): number {
    return 0;
  }

  sleep(_seen: number, rung: () => void): void {
    this.#rung = rung;
  }

  close(): void {
    if (!open.delete(this)) return;
    this.#rung = undefined;
    this.#poll.close();
    close(this.#read);
    close(this.#write);
    ProcessMemory.pool(false);
  }
}

// Nobody else knows of the process yet: without them it must not live on.
function wires(host: Host): { readonly memory: ProcessMemory; readonly read: number; readonly write: number } {
  let memory: ProcessMemory | undefined;
  try {
    memory = ProcessMemory.take();
    const [read, write] = pipe2(O_CLOEXEC | O_NONBLOCK);
    return { memory, read, write };
  } catch (error) {
    memory?.release();
    void host.terminate();
    throw error;
  }
}

const open = new Set<Processes>();

// A copy of this process, which begins anew, has nothing to do with its pools: it must not keep their pipes and memory.
onFreshStart(() => {
  for (const pool of open) pool.abandon();
});

// It may have ended, and its end not be known here yet.
function orGone(send: () => void): void {
  try {
    send();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  }
}
