import type { Region, WordValue } from './region.ts';
import { BODY, OWNER_DIED, OWNER_PID, ROBUST_BYTES, WAITERS } from './region.ts';
import { RobustMutex } from './robust-mutex.ts';

const SLOTS = 24;
const COUNT = 2;
const base = BODY / 4;
const stride = ROBUST_BYTES / 4;
// Permits of holders for whom there was no slot: counted, but not given back by their death.
const ANONYMOUS = base + SLOTS * stride;

export const PERMIT_HOLDER_BYTES = SLOTS * ROBUST_BYTES + 64;

/**
 * Which thread holds how many permits. Each holder owns the robust word of its slot, so that the kernel marks the slot
 * when it dies, and wakes a waiter. To be used inside the monitor.
 */
export class PermitHolders {
  readonly #region: Region;
  readonly #slots: readonly RobustMutex[];

  constructor(region: Region) {
    this.#region = region;
    this.#slots = Array.from({ length: SLOTS }, (_, slot) => new RobustMutex(region, base + slot * stride));
  }

  /** Permits held; those of the dead are given back first. */
  count(): number {
    const { words } = this.#region;
    let sum = words[ANONYMOUS]!;
    for (const { index } of this.#slots) {
      const word = Atomics.load(words, index);
      if (word === 0) continue;
      if ((word & OWNER_DIED) !== 0) this.#clear(index);
      else sum += words[index + COUNT]!;
    }
    return sum;
  }

  /** Whether anybody alive holds one. May be asked outside of the monitor. */
  any(): boolean {
    const { words } = this.#region;
    if (Atomics.load(words, ANONYMOUS) > 0) return true;
    return this.#slots.some(({ index, owner }) => owner !== 0 && Atomics.load(words, index + COUNT) > 0);
  }

  /** One more for this thread. */
  add(): void {
    const { words } = this.#region;
    const slot = this.#own() ?? this.#claim();
    if (slot === undefined) words[ANONYMOUS]!++;
    else words[slot.index + COUNT]!++;
  }

  /** One more for somebody who is not known yet: an object on its way. */
  addAnonymous(): void {
    this.#region.words[ANONYMOUS]!++;
  }

  /** This thread is who was not known. */
  claimAnonymous(): void {
    const { words } = this.#region;
    words[ANONYMOUS] = Math.max(0, words[ANONYMOUS]! - 1);
    this.add();
  }

  /** One less: for this thread if it has any, else for who has most; false if nobody has. */
  remove(): boolean {
    const { words } = this.#region;
    const own = this.#own();
    if (own !== undefined) {
      if (--words[own.index + COUNT]! === 0) own.release();
      return true;
    }
    if (words[ANONYMOUS]! > 0) {
      words[ANONYMOUS]!--;
      return true;
    }
    const most = this.#taken().sort((a, b) => words[b.index + COUNT]! - words[a.index + COUNT]!)[0];
    if (most === undefined || words[most.index + COUNT]! <= 0) return false;
    words[most.index + COUNT]!--;
    return true;
  }

  /** The words that change when a holder dies. */
  words(): readonly WordValue[] {
    return this.#taken().map(({ index }) => [index, Atomics.load(this.#region.words, index)] as const);
  }

  /** Calls `again` when a holder dies. */
  watch(again: () => void): () => void {
    const { words } = this.#region;
    const stops = this.#taken().map(({ index, owner }) =>
      this.#region.watchOwner(owner, Atomics.load(words, index + OWNER_PID), again),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  #own(): RobustMutex | undefined {
    return this.#slots.find((slot) => slot.isHeldByThisThread);
  }

  #taken(): RobustMutex[] {
    return this.#slots.filter(({ owner }) => owner !== 0);
  }

  #claim(): RobustMutex | undefined {
    const slot = this.#slots.find(({ index }) => Atomics.load(this.#region.words, index) === 0);
    if (slot === undefined) return undefined;
    this.#region.words[slot.index + COUNT] = 0;
    // Flagged, so that the kernel wakes somebody when its owner dies.
    slot.tryTake(WAITERS);
    return slot;
  }

  #clear(index: number): void {
    this.#region.words[index + COUNT] = 0;
    Atomics.store(this.#region.words, index, 0);
  }
}
