import type { ClockTimer } from '../../../base/clock.ts';
import { realClock } from '../../../base/clock.ts';
import type { Deferred } from '../../../base/deferred.ts';
import { deferred } from '../../../base/deferred.ts';
import { RedisConnection } from '../../redis/connection.ts';
import type { RedisLocation } from '../../redis/location.ts';
import { ListWatch } from './list-watch.ts';

/** Connections of one consumer that wait at one list each; more lists than that are watched together. */
const mostLists = 16;
/** Seconds between two looks in any case, and where the server does not let lists be watched. */
const lookPeriod = 1;
const busyLookPeriod = 0.05;

/**
 * Rings when something comes into one of several lists. It waits by `BLMOVE list list RIGHT RIGHT`, which puts back what
 * it takes in the same step: nothing is taken that a lost connection could lose. One connection for each list, opened
 * when first waited at; for many lists together two.
 */
export class Bell {
  readonly #lines: Line[];
  readonly #watch: ListWatch | undefined;
  #wait: Deferred<void> | undefined;
  #timer: ClockTimer | undefined;
  #rung = false;

  constructor(location: RedisLocation, lists: readonly string[]) {
    const ring = () => this.ring();
    this.#watch = lists.length > mostLists ? new ListWatch(location, lists, ring) : undefined;
    this.#lines = lists.slice(0, mostLists).map((list) => new Line(location, list, ring));
  }

  /** Resolves when it rings, has rung since the last wait, or it is time to look: after `seconds` at the latest. */
  async wait(seconds: number): Promise<void> {
    if (this.#rung) {
      this.#rung = false;
      return;
    }
    this.#wait = deferred();
    const refused = this.#watch?.refused === true;
    if (this.#watch !== undefined && !refused) this.#watch.listen();
    else for (const line of this.#lines) line.listen();
    const period = refused ? busyLookPeriod : lookPeriod;
    this.#timer = realClock.setTimer(Math.min(seconds, period), () => this.#end());
    await this.#wait.promise;
    this.#rung = false;
  }

  ring(): void {
    this.#rung = true;
    this.#end();
  }

  async close(): Promise<void> {
    this.ring();
    await Promise.all([...this.#lines.map((line) => line.close()), this.#watch?.close()]);
  }

  #end(): void {
    this.#timer?.cancel();
    this.#wait?.resolve();
    this.#wait = undefined;
  }
}

/** One connection that waits at one list. */
class Line {
  readonly #connection: RedisConnection;
  readonly #list: string;
  readonly #ring: () => void;
  #listening = false;

  constructor(location: RedisLocation, list: string, ring: () => void) {
    // Who waits keeps the process alive; this may still stand when nobody waits any more.
    this.#connection = new RedisConnection(location, { keepsAlive: false });
    this.#list = list;
    this.#ring = ring;
  }

  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    void this.#connection
      .call('BLMOVE', [this.#list, this.#list, 'RIGHT', 'RIGHT', 0])
      // What goes wrong here goes wrong in the next look at the list too, and is reported there.
      .then(this.#ring, () => {})
      .finally(() => (this.#listening = false));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
