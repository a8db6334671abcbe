import { Deadline } from '../base/deadline.ts';
import type { Region } from './region.ts';
import { OWNER_DIED, OWNER_MASK, OWNER_PID, WAITERS } from './region.ts';
import type { RobustWord } from './robust-list.ts';
import { pointerBits } from './robust-list.ts';

/** How an attempt to take a mutex went. */
export type Taken = 'taken' | 'recovered' | undefined;

/**
 * A mutex in one word of a region: 0 when free, else its owner with a flag for waiters. When the owner dies the word says
 * so and whoever takes it next is told (`recovered`): the data it protects may be half changed.
 * The layout is the kernel's (set_robust_list(2)); the word takes 64 bytes.
 */
export class RobustMutex {
  readonly region: Region;
  readonly index: number;
  readonly #words: Int32Array;
  readonly #entry: RobustWord | undefined;

  constructor(region: Region, index = 0) {
    this.region = region;
    this.index = index;
    this.#words = region.words;
    this.#entry = entryOf(region, index);
    if ('robustWords' in region) (region.robustWords as Set<number>).add(index);
  }

  get isHeldByThisThread(): boolean {
    return (Atomics.load(this.#words, this.index) & OWNER_MASK) === this.region.self;
  }

  /** The owner's number, 0 if there is none. */
  get owner(): number {
    return Atomics.load(this.#words, this.index) & OWNER_MASK;
  }

  get ownerPid(): number {
    return Atomics.load(this.#words, this.index + OWNER_PID);
  }

  /** Takes it if it is free; `flags` are kept in the word. */
  tryTake(flags = 0): Taken {
    if (this.#entry !== undefined) this.region.robust!.protect(this.#entry);
    const { self } = this.region;
    const was = Atomics.compareExchange(this.#words, this.index, 0, self | flags);
    if (was === 0) return this.#took('taken');
    if ((was & OWNER_MASK) !== 0) return undefined;
    const next = self | (was & WAITERS) | flags;
    if (Atomics.compareExchange(this.#words, this.index, was, next) !== was) return undefined;
    return this.#took((was & OWNER_DIED) === 0 ? 'taken' : 'recovered');
  }

  /** Blocks this thread until it is taken or the deadline has passed. */
  take(deadline: Deadline = never): Taken {
    for (let spin = 0; spin < 50; spin++) {
      const taken = this.tryTake();
      if (taken !== undefined) return taken;
    }
    for (;;) {
      const blocked = this.announce();
      if (blocked !== 0) this.region.wait(this.index, blocked, deadline.left);
      // Others may still wait whom a plain release would not wake.
      const taken = this.tryTake(WAITERS);
      if (taken !== undefined) return taken;
      if (deadline.passed) {
        this.passOn();
        return undefined;
      }
    }
  }

  /** Says that somebody waits; returns the word to wait on, 0 if it has become free. */
  announce(): number {
    const value = Atomics.load(this.#words, this.index);
    if ((value & OWNER_MASK) === 0) return 0;
    if ((value & WAITERS) !== 0) return value;
    const marked = value | WAITERS;
    return Atomics.compareExchange(this.#words, this.index, value, marked) === value ? marked : this.announce();
  }

  /** Who gives up may have been the one that was woken: another must look. */
  passOn(): void {
    if ((Atomics.load(this.#words, this.index) & OWNER_MASK) === 0) this.region.wake(this.index, 1);
  }

  /** Frees it. The caller has made sure that this thread holds it. */
  release(): void {
    if (this.#entry !== undefined) this.region.robust!.protect(this.#entry);
    if (Atomics.exchange(this.#words, this.index, 0) < 0) this.region.wake(this.index, 1);
  }

  #took(how: 'taken' | 'recovered'): Taken {
    this.#words[this.index + OWNER_PID] = process.pid;
    return how;
  }
}

const never = Deadline.after(undefined);

// One for each word and thread, however many objects stand for it: all must agree on whether it is linked.
const entries = new Map<number, RobustWord>();

function entryOf(region: Region, index: number): RobustWord | undefined {
  if (region.robust === undefined || !('address' in region)) return undefined;
  const address = (region.address as number) + index * 4;
  let entry = entries.get(address);
  if (entry === undefined) entries.set(address, (entry = makeEntry(region, index, address)));
  return entry;
}

function makeEntry(region: Region, index: number, address: number): RobustWord {
  return {
    address,
    entry: new Float64Array(region.words.buffer, region.words.byteOffset + index * 4 + 32, 1),
    pointer: pointerBits(address + 32),
    isHeld: () => (Atomics.load(region.words, index) & OWNER_MASK) === region.self,
    linked: false,
  };
}
