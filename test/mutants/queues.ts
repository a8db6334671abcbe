// Queues and barriers with a planted bug each; see locks.ts.
import { Wait } from '../../src/asyncio/wait.ts';
import { WaitQueue } from '../../src/asyncio/wait-queue.ts';
import type { WaitOptions } from '../../src/base/deadline.ts';
import { BrokenBarrierError, Event } from '../../src/entry/asyncio.ts';

/** A plain and correct queue, for the mutants to break in one place. */
class PlainQueue {
  readonly maxsize: number;
  protected readonly items: number[] = [];
  protected readonly getters = new WaitQueue<number>();
  protected readonly putters = new Map<Wait<void>, number>();
  #unfinished = 0;
  readonly #finished = new Event();

  constructor(maxsize: number) {
    this.maxsize = maxsize;
    this.#finished.set();
  }

  qsize(): number {
    return this.items.length;
  }

  empty(): boolean {
    return this.items.length === 0;
  }

  async put(item: number, options?: WaitOptions): Promise<void> {
    if (!this.full()) return this.accept(item);
    const wait = new Wait<void>('room', options, { abandon: (self) => this.putters.delete(self) });
    if (!wait.settled) this.putters.set(wait, item);
    return wait.promise;
  }

  async get(options?: WaitOptions): Promise<number> {
    return this.empty() ? this.waitForItem(options) : this.getNowait();
  }

  getNowait(): number {
    const item = this.items.shift()!;
    for (const [putter, offer] of this.putters) {
      if (this.full()) break;
      this.putters.delete(putter);
      this.accept(offer);
      putter.resolve();
    }
    return item;
  }

  taskDone(): void {
    if (--this.#unfinished === 0) this.#finished.set();
  }

  async join(options?: WaitOptions): Promise<void> {
    await this.#finished.wait(options);
  }

  protected full(): boolean {
    return this.maxsize > 0 && this.items.length >= this.maxsize;
  }

  protected waitForItem(options?: WaitOptions): Promise<number> {
    return this.getters.park('an item', options).promise;
  }

  protected accept(item: number): void {
    this.#unfinished++;
    this.#finished.clear();
    const getter = this.getters.shift();
    if (getter === undefined) this.items.push(item);
    else getter.resolve(item);
  }
}

export { PlainQueue };

/** Dropped item: a getter that gave up keeps its place, and an item is handed to nobody. */
export class DroppingQueue extends PlainQueue {
  protected override waitForItem(options?: WaitOptions): Promise<number> {
    return this.getters.park('an item', options, {}).promise;
  }
}

/** Double hand-over: an item goes to the waiting getter and stays in the queue. */
export class DoublingQueue extends PlainQueue {
  protected override accept(item: number): void {
    if (this.getters.size > 0) this.items.push(item);
    super.accept(item);
  }
}

/** Phantom item: a putter that gave up has put its item all the same. */
export class PhantomQueue extends PlainQueue {
  override async put(item: number, options?: WaitOptions): Promise<void> {
    if (!this.full()) return this.accept(item);
    const wait = new Wait<void>('room', options);
    this.putters.set(wait, item);
    return wait.promise;
  }
}

/** Lost wake-up: room that one item leaves is not given to who waits for it. */
export class ForgetfulQueue extends PlainQueue {
  override getNowait(): number {
    return this.items.shift()!;
  }
}

/** Overfull: the bound is looked at once for all who wait. */
export class OverfullQueue extends PlainQueue {
  override getNowait(): number {
    const item = this.items.shift()!;
    for (const [putter, offer] of this.putters) {
      this.putters.delete(putter);
      this.accept(offer);
      putter.resolve();
    }
    return item;
  }
}

/** Out of order: a put overtakes those who wait to put. */
export class ShufflingQueue extends PlainQueue {
  protected override accept(item: number): void {
    super.accept(item);
    this.items.reverse();
  }
}

/** Opens early: who gave up is still counted. */
export class EagerBarrier {
  readonly #parties: number;
  readonly #waiting: Wait<number>[] = [];

  constructor(parties: number) {
    this.#parties = parties;
  }

  get nWaiting(): number {
    return this.#waiting.length;
  }

  async wait(options?: WaitOptions): Promise<number> {
    if (this.#waiting.length + 1 === this.#parties) {
      this.#waiting.splice(0).forEach((wait, place) => wait.resolve(place));
      return this.#parties - 1;
    }
    const wait = new Wait<number>('a Barrier', options);
    this.#waiting.push(wait);
    return wait.promise;
  }

  abort(): void {
    for (const wait of this.#waiting.splice(0)) wait.reject(new BrokenBarrierError());
  }
}
