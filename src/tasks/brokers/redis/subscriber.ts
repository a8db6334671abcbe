import type { ClockTimer } from '../../../base/clock.ts';
import { realClock } from '../../../base/clock.ts';
import { ClosedError } from '../../../base/errors.ts';
import { decodeEnvelope } from '../../envelope.ts';
import type { Binding, Subscription } from '../../fanout.ts';
import { matchesTopic } from '../../fanout.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { isTransient } from '../../redis/failure.ts';
import type { RedisClient } from '../../redis/library.ts';
import type { RedisLocation } from '../../redis/location.ts';

/** Seconds between two signs of life on a connection that may be silent for hours. */
const pingInterval = 20;

/** Listens to channels on a connection of its own, opened with the first subscription and again after each loss. */
export class Subscriber {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #bindings = new Set<Binding>();
  #ping: ClockTimer | undefined;
  #closed = false;

  constructor(location: RedisLocation, prefix: string) {
    this.#prefix = prefix;
    this.#connection = new RedisConnection(location, { keepsAlive: false, silence: 2 * pingInterval });
    this.#connection.onUp((client) => this.#listen(client));
    this.#connection.onDown(() => void this.#return());
  }

  /** The channel of an exchange for a routing key; a key that is empty is no part of it. */
  channel(exchange: string, routingKey: string): string {
    return `${this.#prefix}${exchange}${routingKey === '' ? '' : `/${routingKey}`}`;
  }

  /** Resolves too when the server is away: the subscription then begins when it is back. */
  async subscribe(binding: Binding): Promise<Subscription> {
    if (this.#closed) throw new ClosedError('the broker is closed');
    const own = { ...binding };
    const close = async () => {
      this.#bindings.delete(own);
      if (this.#bindings.size === 0) this.#connection.drop();
    };
    this.#bindings.add(own);
    try {
      const client = await this.#connection.ready();
      await client.psubscribe(this.#pattern(own));
    } catch (error) {
      if (!isTransient(error)) {
        await close();
        throw error;
      }
      void this.#return();
    }
    return { close, [Symbol.asyncDispose]: close };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bindings.clear();
    this.#ping?.cancel();
    await this.#connection.close();
  }

  #listen(client: RedisClient): void {
    client.on('pmessage', (pattern: string, channel: string, text: string) => {
      // A channel that fits several patterns comes once for each of them.
      for (const binding of this.#bindings) {
        if (this.#pattern(binding) === pattern && this.#fits(binding, channel)) {
          binding.onMessage(() => decodeEnvelope(text));
        }
      }
    });
    // Refused or lost: the connection's end, which follows, brings the next attempt.
    for (const binding of this.#bindings) client.psubscribe(this.#pattern(binding)).catch(() => client.disconnect());
    this.#keepPinging(client);
  }

  // Redis' `*` takes in what topics take for several words.
  #fits({ exchange, routingKey }: Binding, channel: string): boolean {
    if (exchange.type === 'fanout') return true;
    const start = this.channel(exchange.name, '').length + 1;
    return matchesTopic(routingKey, channel.slice(start));
  }

  #pattern({ exchange, routingKey }: Binding): string {
    const literal = `${this.#prefix}${exchange.name}`.replaceAll(/[\\*?[\]]/g, '\\$&');
    return routingKey === '' ? literal : `${literal}/${routingKey.replaceAll('#', '*')}`;
  }

  #keepPinging(client: RedisClient): void {
    this.#ping?.cancel();
    this.#ping = realClock
      .setTimer(pingInterval, () => {
        client.ping().catch(() => {});
        this.#keepPinging(client);
      })
      .unref();
  }

  async #return(): Promise<void> {
    this.#ping?.cancel();
    while (!this.#closed && this.#bindings.size > 0 && !this.#connection.isUp) {
      // The connection itself pauses between attempts that fail.
      await this.#connection.ready().catch(() => {});
    }
  }
}
