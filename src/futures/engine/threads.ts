import type { ResourceLimits } from 'node:worker_threads';
import { ThreadHost } from '../../callable/thread-host.ts';
import { ThreadMemory } from '../channel/thread-memory.ts';
import { WORKER_BELL } from '../channel/layout.ts';
import { atomics } from '../worker/bell.ts';
import type { Link, Workshop } from './link.ts';

/** Workers that are threads. */
export class Threads implements Workshop {
  readonly kind = 'thread';
  readonly #limits: ResourceLimits | undefined;
  readonly #bell = new Int32Array(new SharedArrayBuffer(64));
  // A waitAsync cannot be taken back: one at a time.
  #sleeping = false;
  #rung: (() => void) | undefined;

  constructor(limits?: ResourceLimits) {
    this.#limits = limits;
  }

  make(): Link {
    const host = new ThreadHost(this.#limits === undefined ? {} : { resourceLimits: this.#limits });
    const memory = new ThreadMemory();
    return {
      host,
      memory,
      attachment: { kind: 'thread', buffer: memory.buffer, bell: this.#bell },
      name: host.name,
      pid: undefined,
      parent: undefined,
      wakeLoop: () => {},
      kill: () => void host.terminate(),
      // Whatever waits for a word of it would be kept with it.
      release: () => void Atomics.notify(memory.words, WORKER_BELL),
    };
  }

  rings(): number {
    return Atomics.load(this.#bell, 0);
  }

  sleep(seen: number, rung: () => void): void {
    this.#rung = rung;
    if (this.#sleeping) return;
    const { async: later, value } = atomics.waitAsync(this.#bell, 0, seen);
    if (!later) return void setImmediate(rung);
    this.#sleeping = true;
    void (value as Promise<string>).then(() => {
      this.#sleeping = false;
      this.#rung?.();
    });
  }

  close(): void {
    this.#rung = undefined;
    Atomics.notify(this.#bell, 0);
  }
}
