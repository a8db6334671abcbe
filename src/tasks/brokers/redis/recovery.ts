import { realClock } from '../../../base/clock.ts';
import { uuid } from '../../../base/ids.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { runScript } from '../../redis/script.ts';
import type { Layout } from './layout.ts';
import { readTag } from './layout.ts';
import type { SeenConsumer } from './restoration.ts';
import { none, restoreClaims, restoreConsumer } from './restoration.ts';
import { stewardScript, unlockScript } from './scripts/lease.ts';

/** Milliseconds after which another process takes over from a steward that is silent. */
const stewardTerm = 3000;
/** Seconds for which a consumer's connection must be gone: a living one is back sooner. */
const grace = 2;
/** Seconds between two looks for the claims of Celery's workers. */
const stalePeriod = 10;

/**
 * Gives back the claims of the dead. An end of a lease is only a suspicion, like a connection that is gone: nobody could
 * renew while the server was stopped, full or away. The suspect must fail to renew before our eyes, on one connection. Of all processes at a server one does it, the steward. */
export class Recovery {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #name: string;
  readonly #suspects = new Map<string, SeenConsumer & { readonly since: number }>();
  #staleAt = -Infinity;

  constructor(connection: RedisConnection, layout: Layout, name: string) {
    this.#connection = connection;
    this.#layout = layout;
    this.#name = name;
  }

  async round(visibilityTimeout: number): Promise<void> {
    const claim = [this.#name, stewardTerm];
    if ((await runScript(this.#connection, stewardScript, [this.#layout.steward], claim)) !== 1) return this.forget();
    for (const consumer of await this.#dead()) {
      await restoreConsumer(this.#connection, this.#layout, consumer, true);
      this.#suspects.delete(consumer.id);
    }
    if (realClock.now() - this.#staleAt < stalePeriod) return;
    await this.#restoreStale(visibilityTimeout);
  }

  /** Begins to judge anew: what was seen before says nothing any more. */
  forget(): void {
    this.#suspects.clear();
  }

  /** Lets another process take over at once. */
  async release(): Promise<void> {
    await runScript(this.#connection, unlockScript, [this.#layout.steward], [this.#name]);
  }

  async #dead(): Promise<SeenConsumer[]> {
    const [time, rows] = (await Promise.all([
      this.#connection.call('TIME'),
      this.#connection.call('ZRANGE', [this.#layout.consumers, 0, -1, 'WITHSCORES']),
    ])) as [[string, string], string[]];
    const now = Number(time[0]) + Number(time[1]) / 1e6;
    const ids = rows.filter((_, i) => i % 2 === 0);
    const facts = (await Promise.all(
      ids.map((id) => this.#connection.call('HMGET', [this.#layout.consumer(id), 'client', 'run', 'lease'])),
    )) as (string | null)[][];
    const consumers = ids.map((id, i) => {
      const [client, run, lease] = facts[i]!;
      return { id, score: rows[i * 2 + 1]!, client: client ?? '', run, lease: Number(lease ?? 0) };
    });
    const connected = await this.#connected(consumers.map(({ client }) => client).filter((client) => client !== ''));
    return consumers.filter((consumer) => {
      if (Number(consumer.score) < now) return this.#keepsSilent(consumer, Math.max(grace, consumer.lease / 4));
      if (this.#isGone(consumer, connected)) return this.#keepsSilent(consumer, grace);
      this.#suspects.delete(consumer.id);
      return false;
    });
  }

  #isGone(
    { client, run }: { client: string; run: string | null | undefined },
    connected: Set<string> | undefined,
  ): boolean {
    // Numbers of connections mean nothing beyond the run of the server that gave them.
    const judged = client !== '' && run === this.#connection.server?.run && connected !== undefined;
    return judged && !connected.has(client);
  }

  #keepsSilent({ id, score, client }: SeenConsumer, seconds: number): boolean {
    const before = this.#suspects.get(id);
    if (before?.score !== score || before.client !== client) {
      this.#suspects.set(id, { id, score, client, since: realClock.now() });
      return false;
    }
    return realClock.now() - before.since >= seconds;
  }

  async #connected(clients: readonly string[]): Promise<Set<string> | undefined> {
    if (clients.length === 0) return undefined;
    try {
      const list = String(await this.#connection.call('CLIENT', ['LIST', 'ID', ...clients]));
      return new Set([...list.matchAll(/^id=(\d+)/gm)].map((match) => match[1]!));
    } catch (error) {
      if (!this.#connection.isUp) throw error;
      return undefined;
    }
  }

  // Claims of Celery's workers, and any that lost their consumer's records, under the lock that Celery's own workers use.
  async #restoreStale(visibilityTimeout: number): Promise<void> {
    const { unackedIndex, unackedMutex } = this.#layout;
    const token = uuid();
    if ((await this.#connection.call('SET', [unackedMutex, token, 'PX', 300_000, 'NX'])) !== 'OK') return;
    this.#staleAt = realClock.now();
    try {
      const [seconds] = (await this.#connection.call('TIME')) as [string, string];
      const limit = Number(seconds) - visibilityTimeout;
      const old = await this.#connection.call('ZRANGEBYSCORE', [unackedIndex, '-inf', limit, 'LIMIT', 0, 1000]);
      await this.#restoreAll(old as string[]);
    } finally {
      await runScript(this.#connection, unlockScript, [unackedMutex], [token]);
    }
  }

  async #restoreAll(old: readonly string[]): Promise<void> {
    const consumers = new Set((await this.#connection.call('ZRANGE', [this.#layout.consumers, 0, -1])) as string[]);
    const stale = old.filter((tag) => {
      const ours = readTag(tag);
      // A living consumer's claim is its own affair, however old its score.
      return ours === undefined || ours.delayed || !consumers.has(ours.consumer);
    });
    for (let end = stale.length; end > 0; end -= 100) {
      const some = stale.slice(Math.max(0, end - 100), end);
      await restoreClaims(this.#connection, this.#layout, { id: '', score: '', client: '' }, some, none);
    }
  }
}
