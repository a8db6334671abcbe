import { realClock } from '../../../base/clock.ts';
import { within } from '../../../base/deadline.ts';
import { ConnectionError } from '../../../base/errors.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { isTransient } from '../../redis/failure.ts';
import type { RedisLocation } from '../../redis/location.ts';
import { runScript } from '../../redis/script.ts';
import { uuid } from '../../../base/ids.ts';
import { Layout } from './layout.ts';
import { Recovery } from './recovery.ts';
import { restoreConsumer } from './restoration.ts';
import { renewScript } from './scripts/lease.ts';
import type { StewardedConsumer } from './steward-protocol.ts';

/** Seconds between two rounds; shorter ones where a lease is. */
const longestPeriod = 1;
const shortestPeriod = 0.05;

/** What those who have their claims kept must know. */
export interface StewardshipNews {
  /** The server knows the consumer, and would miss it. */
  registered(id: string): void;
  /** Why claims are not renewed, if that does not heal by itself. */
  failed(error: Error): void;
}

/**
 * Keeps the claims of this process's consumers, on a thread and a connection of its own, so that a blocked event loop
 * keeps them, and looks after the claims of those who died. Its connection is what shows that the process lives: the
 * kernel closes it whatever the process died of.
 */
export class Stewardship {
  readonly #connection: RedisConnection;
  readonly #location: RedisLocation;
  readonly #layout: Layout;
  readonly #recovery: Recovery;
  readonly #wards = new Map<string, Ward>();
  readonly #news: StewardshipNews;
  readonly #warned = new Set<string>();
  #period = longestPeriod;
  #timer: NodeJS.Timeout;
  #client = '';
  #work: Promise<void> = Promise.resolve();
  #idle = true;
  #closed = false;

  constructor(location: RedisLocation, news: StewardshipNews) {
    this.#news = news;
    this.#location = location;
    this.#layout = new Layout(location.keyPrefix);
    // Back well before others take a lost connection for a lost process.
    this.#connection = new RedisConnection(location, { silence: 5, longestPause: 0.5 });
    this.#recovery = new Recovery(this.#connection, this.#layout, uuid());
    this.#connection.onDown(() => {
      this.#recovery.forget();
      void this.#reconnect();
    });
    this.#timer = this.#everyPeriod();
  }

  add(consumer: StewardedConsumer): void {
    const ward = new Ward(consumer, this.#location.visibilityTimeout);
    this.#wards.set(consumer.id, ward);
    // An expired claim must have had several chances of being renewed.
    this.#period = Math.max(shortestPeriod, Math.min(this.#period, ward.interval / 2));
    clearInterval(this.#timer);
    this.#timer = this.#everyPeriod();
    // At once, or behind the round that is under way.
    void this.#work.then(() => this.#tick());
  }

  /** Resolves when nothing is done for the consumer any more. */
  async remove(id: string): Promise<void> {
    this.#wards.delete(id);
    await this.#work;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#connection.isUp) await within(this.#recovery.release(), { timeout: 1 }).catch(() => {});
    // What is under way is cut off: it may wait for a server that does not answer.
    await this.#connection.close();
    await this.#work;
  }

  #everyPeriod(): NodeJS.Timeout {
    return setInterval(() => this.#tick(), this.#period * 1000);
  }

  async #reconnect(): Promise<void> {
    for (const ward of this.#wards.values()) ward.renewed = -Infinity;
    while (!this.#closed && !this.#connection.isUp) {
      const up = await this.#connection.ready().then(
        () => true,
        () => false,
      );
      if (up) this.#tick();
    }
  }

  // One round at a time; what fails is tried again in the next, a lease bears several.
  #tick(): void {
    if (!this.#idle || this.#closed) return;
    this.#idle = false;
    this.#work = this.#round()
      .catch((error: unknown) => {
        this.#recovery.forget();
        if (isTransient(error) || this.#closed) return;
        if (error instanceof ConnectionError) this.#news.failed(error);
        else this.#warn(error as Error);
      })
      .finally(() => (this.#idle = true));
  }

  async #round(): Promise<void> {
    for (const ward of this.#wards.values()) {
      ward.look();
      try {
        if (ward.stalled) await this.#letGo(ward);
        else if (ward.isDue) await this.#renew(ward);
      } catch (error) {
        if (isTransient(error) || this.#closed) throw error;
        this.#news.failed(error as Error);
      }
    }
    await this.#recovery.round(this.#location.visibilityTimeout);
  }

  // Nobody's claims are in danger, only those of the dead stay where they are.
  #warn(error: Error): void {
    if (this.#warned.has(error.message)) return;
    this.#warned.add(error.message);
    process.emitWarning(`the claims of dead workers are not given back: ${error.message}`, 'SimulWarning');
  }

  async #renew(ward: Ward): Promise<void> {
    const { id, lease, hostname, queues } = ward.consumer;
    await this.#connection.ready();
    const run = this.#connection.server?.run ?? '';
    const client = await this.#clientId();
    if (!this.#wards.has(id)) return;
    const time = realClock.now();
    const { consumers, unackedIndex } = this.#layout;
    const keys = [consumers, this.#layout.consumer(id), this.#layout.claims(id), unackedIndex];
    const facts = ['hostname', hostname, 'queues', queues.join(','), 'lease', lease, 'client', client, 'run', run];
    await runScript(this.#connection, renewScript, keys, [id, lease, ...facts]);
    ward.renewed = time;
    ward.letGo = false;
    if (!ward.registered) this.#news.registered(id);
    ward.registered = true;
  }

  async #letGo(ward: Ward): Promise<void> {
    if (ward.letGo) return;
    await restoreConsumer(this.#connection, this.#layout, { id: ward.consumer.id, score: '', client: '' }, true);
    ward.letGo = true;
    ward.renewed = -Infinity;
  }

  // Empty where others could not see it (a proxy, a right that is missing): then only the lease counts.
  async #clientId(): Promise<string> {
    try {
      const id = String(await this.#connection.call('CLIENT', ['ID']));
      if (id === this.#client) return id;
      const seen = String(await this.#connection.call('CLIENT', ['LIST', 'ID', id]));
      this.#client = new RegExp(`\\bid=${id}\\b`).test(seen) ? id : '';
    } catch (error) {
      if (!this.#connection.isUp) throw error;
      this.#client = '';
    }
    return this.#client;
  }
}

/** A consumer of this process, with when its lease was last renewed and when its user's thread last moved. */
class Ward {
  readonly consumer: StewardedConsumer;
  /** Seconds between two renewals. */
  readonly interval: number;
  renewed = -Infinity;
  letGo = false;
  /** The server knows it, and by which connection it is missed. */
  registered = false;
  #beat = 0;
  #moved = realClock.now();

  constructor(consumer: StewardedConsumer, visibilityTimeout: number) {
    this.consumer = consumer;
    this.interval = Math.min(consumer.lease, visibilityTimeout) / 4;
  }

  get isDue(): boolean {
    return realClock.now() - this.renewed >= this.interval;
  }

  get stalled(): boolean {
    const { stallTimeout } = this.consumer;
    return stallTimeout !== undefined && realClock.now() - this.#moved > stallTimeout;
  }

  look(): void {
    const { heartbeat } = this.consumer;
    const beat = heartbeat === undefined ? this.#beat + 1 : Atomics.load(heartbeat, 0);
    if (beat !== this.#beat) this.#moved = realClock.now();
    this.#beat = beat;
  }
}
