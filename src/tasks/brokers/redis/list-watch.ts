import { RedisConnection } from '../../redis/connection.ts';
import { isTransient } from '../../redis/failure.ts';
import type { RedisLocation } from '../../redis/location.ts';

/** Where Redis tells that a key has changed which a tracked connection had read. */
const invalidations = '__redis__:invalidate';

/**
 * Rings when any of many lists changes, whoever writes, on two connections: Redis remembers which keys the one has read,
 * also such that do not exist, and tells the other of the next change of each (CLIENT TRACKING with REDIRECT, 6.0).
 */
export class ListWatch {
  readonly #eye: RedisConnection;
  readonly #ear: RedisConnection;
  readonly #lists: readonly string[];
  readonly #ring: () => void;
  #tracked = false;
  #listening = false;
  #refused = false;

  constructor(location: RedisLocation, lists: readonly string[], ring: () => void) {
    this.#lists = lists;
    this.#ring = ring;
    // Who waits keeps the process alive; these may still stand when nobody waits any more.
    this.#eye = new RedisConnection(location, { keepsAlive: false, silence: location.silence });
    this.#ear = new RedisConnection(location, { keepsAlive: false });
    this.#ear.onUp((client) => client.on('message', () => this.#ring()));
    // The two belong together: what the one looks at is told to the other by the number of its connection.
    this.#ear.onDown(() => this.#lost(this.#eye));
    this.#eye.onDown(() => this.#lost(this.#ear));
  }

  /** The server cannot do it, or not for this user. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Rings once there is something in one of the lists, or when it cannot tell any more. */
  listen(): void {
    if (this.#listening || this.#refused) return;
    this.#listening = true;
    void this.#look()
      .catch((error: unknown) => {
        this.#refused = !isTransient(error);
        if (this.#refused) this.#ring();
      })
      .finally(() => (this.#listening = false));
  }

  async close(): Promise<void> {
    await Promise.all([this.#ear.close(), this.#eye.close()]);
  }

  // What came before it was looked for is seen, and what comes after is told.
  async #look(): Promise<void> {
    if (!this.#tracked) await this.#track();
    if (Number(await this.#eye.call('EXISTS', this.#lists)) > 0) this.#ring();
  }

  async #track(): Promise<void> {
    const ear = Number(await this.#ear.call('CLIENT', ['ID']));
    await this.#ear.call('subscribe', [invalidations]);
    await this.#eye.call('CLIENT', ['TRACKING', 'ON', 'REDIRECT', ear]);
    this.#tracked = true;
  }

  #lost(other: RedisConnection): void {
    this.#tracked = false;
    other.drop();
    this.#ring();
  }
}
