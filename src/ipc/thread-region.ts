import { threadId } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { InvalidArgumentError } from '../base/errors.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import { LiveObjects } from '../base/live-objects.ts';
import type { Region, RegionHandle } from './region.ts';
import { ALL, BELL, LISTENERS, OWNER_DIED, OWNER_MASK, SEQUENCE } from './region.ts';

const keepAlive = new KeepAlive();

/** Memory that the threads of this process share; works everywhere. Blocked threads can be terminated (Atomics.wait). */
export class ThreadRegion implements Region {
  readonly scope = 'threads';
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly robust = undefined;
  readonly #listeners = new Set<() => void>();
  #ringing = false;

  constructor(memory: number | SharedArrayBuffer) {
    const buffer = typeof memory === 'number' ? new SharedArrayBuffer(memory) : memory;
    if (!(buffer instanceof SharedArrayBuffer)) throw new InvalidArgumentError('memory', buffer, 'a SharedArrayBuffer');
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    known.add(this);
    watchThreads();
  }

  get self(): number {
    return threadId + 1;
  }

  wait(index: number, value: number, seconds: number): void {
    Atomics.wait(this.words, index, value, seconds * 1000);
  }

  wake(index: number, count: number): void {
    Atomics.notify(this.words, index, count);
    this.ring();
  }

  ring(): void {
    if (Atomics.load(this.words, LISTENERS) === 0) return;
    Atomics.add(this.words, BELL, 1);
    Atomics.notify(this.words, BELL, ALL);
  }

  listen(fn: () => void): () => void {
    const listener = () => fn();
    if (this.#listeners.size === 0) {
      Atomics.add(this.words, LISTENERS, 1);
      keepAlive.hold(); // a waitAsync alone does not keep the loop alive
    }
    this.#listeners.add(listener);
    this.#ring();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      Atomics.sub(this.words, LISTENERS, 1);
      keepAlive.release();
    };
  }

  // A thread that ends is reported by its starter below: the words it owned change and are woken.
  watchOwner(): () => void {
    return () => {};
  }

  handle(): RegionHandle {
    return { scope: 'threads', buffer: this.words.buffer as SharedArrayBuffer };
  }

  /** @internal A thread has ended: what it owned is marked as the kernel would. */
  sweep(dead: number): void {
    const { words } = this;
    for (const index of this.robustWords) {
      const value = Atomics.load(words, index);
      if ((value & OWNER_MASK) !== dead) continue;
      Atomics.compareExchange(words, index, value, (value & ~OWNER_MASK) | OWNER_DIED);
      this.wake(index, ALL);
      Atomics.add(words, SEQUENCE, 1);
      this.wake(SEQUENCE, ALL);
    }
  }

  /** @internal */
  readonly robustWords = new Set<number>([0]);

  // One waitAsync at a time, left standing when nobody listens: it cannot be taken back.
  #ring(): void {
    if (this.#ringing) return;
    const { async: later, value } = atomics.waitAsync(this.words, BELL, Atomics.load(this.words, BELL));
    this.#ringing = true;
    void Promise.resolve(later ? value : undefined).then(() => {
      this.#ringing = false;
      if (this.#listeners.size > 0) this.#ring();
      for (const listener of this.#listeners) listener();
    });
  }
}

// In Node 20 already, in TypeScript's library from es2024 on.
const atomics = Atomics as unknown as {
  waitAsync(words: Int32Array, index: number, value: number): { async: boolean; value: Promise<string> | string };
};

const known = new LiveObjects<ThreadRegion>();
let watching = false;

function watchThreads(): void {
  if (watching) return;
  watching = true;
  process.on('worker', (worker: Worker) => {
    const dead = worker.threadId + 1;
    worker.once('exit', () => sweepAll(dead));
  });
}

function sweepAll(dead: number): void {
  for (const region of known) region.sweep(dead);
}
