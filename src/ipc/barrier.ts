import type { WaitOptions } from '../base/deadline.ts';
import { BrokenError, InvalidArgumentError } from '../base/errors.ts';
import { Monitor } from './monitor.ts';
import type { Region } from './region.ts';
import { BODY, STATE } from './region.ts';

export const BARRIER_BYTES = BODY;
const PARTIES = STATE + 1;
const ARRIVED = STATE + 2;
const GENERATION = STATE + 3;
/** The generation up to which arrivals are broken, plus one; 0 if none. */
const BROKEN = STATE + 4;
const WAS_BROKEN = STATE + 5;

/** Options of a barrier. */
export interface BarrierOptions {
  /** Called by the last to arrive, before any is let go; not passed on with the barrier. */
  readonly action?: () => void;
  /** Seconds, the default of `wait`. */
  readonly timeout?: number;
}

/** A point at which a number of threads or processes wait for each other. */
export abstract class SharedBarrier {
  /** @internal */
  readonly region: Region;
  readonly #monitor: Monitor;
  readonly #options: BarrierOptions;

  protected constructor(region: Region, parties?: number, options: BarrierOptions = {}) {
    this.region = region;
    this.#options = options;
    this.#monitor = new Monitor(region, { what: 'a Barrier', inOrder: false });
    if (parties === undefined) return;
    if (!Number.isInteger(parties) || parties < 1) {
      throw new InvalidArgumentError('parties', parties, 'a whole number, 1 or more');
    }
    region.words[PARTIES] = parties;
  }

  get parties(): number {
    return this.region.words[PARTIES]!;
  }

  /** How many wait now. */
  get nWaiting(): number {
    return Atomics.load(this.region.words, ARRIVED);
  }

  get broken(): boolean {
    return Atomics.load(this.region.words, WAS_BROKEN) === 1;
  }

  /**
   * Waits on the event loop until all parties wait; gives the order of arrival, 0 for the first. A timeout or
   * cancellation breaks the barrier for all: TimeoutError or CancelledError here, BrokenError for the others.
   */
  async wait(options: WaitOptions = {}): Promise<number> {
    const place = this.#arrive();
    if (place.last) return place.index;
    try {
      await this.#monitor.wait(() => this.#passed(place), this.#withDefault(options));
    } catch (error) {
      this.#breakAt(place);
      throw error;
    }
    return this.#outcome(place);
  }

  /** As `wait`, blocking this thread. */
  waitSync(options: WaitOptions = {}): number {
    const place = this.#arrive();
    if (place.last) return place.index;
    try {
      this.#monitor.waitSync(() => this.#passed(place), this.#withDefault(options));
    } catch (error) {
      this.#breakAt(place);
      throw error;
    }
    return this.#outcome(place);
  }

  /** Makes it whole again; who waits gets a BrokenError. */
  reset(): void {
    this.#monitor.run(() => {
      if (this.nWaiting > 0) this.#break();
      this.region.words[WAS_BROKEN] = 0;
    });
  }

  /** Breaks it: who waits, and who comes, gets a BrokenError until `reset`. */
  abort(): void {
    this.#monitor.run(() => this.#break());
  }

  #withDefault(options: WaitOptions): WaitOptions {
    const { timeout } = this.#options;
    return options.timeout === undefined && timeout !== undefined ? { ...options, timeout } : options;
  }

  #arrive(): Place {
    return this.#monitor.run(() => {
      const { words } = this.region;
      if (this.broken) throw new BrokenError('the barrier is broken');
      const place = { index: words[ARRIVED]!, generation: words[GENERATION]!, last: false };
      if (place.index + 1 < words[PARTIES]!) {
        Atomics.store(words, ARRIVED, place.index + 1);
        return place;
      }
      this.#act();
      Atomics.store(words, ARRIVED, 0);
      words[GENERATION]!++;
      this.#monitor.changed();
      return { ...place, last: true };
    });
  }

  #act(): void {
    try {
      this.#options.action?.();
    } catch (error) {
      this.#break();
      throw error;
    }
  }

  #passed({ generation }: Place): true | undefined {
    return this.region.words[GENERATION] !== generation || undefined;
  }

  #outcome({ index, generation }: Place): number {
    if (this.region.words[BROKEN] === generation + 1) throw new BrokenError('the barrier is broken');
    return index;
  }

  #breakAt(place: Place): void {
    this.#monitor.run(() => {
      if (this.#passed(place) === undefined) this.#break();
    });
  }

  #break(): void {
    const { words } = this.region;
    words[BROKEN] = words[GENERATION]! + 1;
    words[WAS_BROKEN] = 1;
    words[GENERATION]!++;
    Atomics.store(words, ARRIVED, 0);
    this.#monitor.changed();
  }
}

interface Place {
  readonly index: number;
  readonly generation: number;
  readonly last: boolean;
}
