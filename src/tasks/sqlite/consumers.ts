import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { isDead, LifeLock, sweepLock } from './lock.ts';
import type { Messages } from './messages.ts';
import type { ConsumerRequest } from './protocol.ts';

/** A consumer of this process. */
export interface LocalConsumer {
  readonly id: number;
  readonly request: ConsumerRequest;
  /** When its row says that it expires. */
  expires: number;
  /** Numbers its claims. */
  claims: number;
  /** The last heartbeat seen, and when it changed. */
  beat: number;
  beatAt: number;
  /** Its user's thread is blocked beyond `stallTimeout`. */
  stalled: boolean;
}

interface ConsumerRow {
  readonly id: number;
  readonly lock: string;
  readonly expires: number;
}

const lockSuffix = '.alive';

/**
 * Milliseconds, by this machine's monotonic clock, for which a lease must be seen to be over. When a machine wakes from
 * suspension or its clock is set, all leases are over at once, and those who live renew theirs within a second.
 */
const grace = 2000;

/**
 * Who holds claims. A consumer lives while the lock file of its process is locked and its lease is renewed; the claims
 * of those who do not are given back by whoever notices. Its row goes first, so that it learns of its loss.
 */
export class Consumers {
  readonly #db: Database;
  readonly #messages: Messages;
  readonly #locks: string;
  readonly #local = new Map<number, LocalConsumer>();
  readonly #lockName = `${randomUUID()}${lockSuffix}`;
  /** What the transaction under way changes in `#local` once it is committed. */
  #joining: LocalConsumer[] = [];
  #leaving: number[] = [];
  readonly #suspects = new Map<number, { expires: number; since: number }>();
  #life: LifeLock | undefined;

  constructor(db: Database, messages: Messages, locks: string) {
    this.#db = db;
    this.#messages = messages;
    this.#locks = locks;
  }

  get any(): boolean {
    return this.#local.size > 0;
  }

  get(id: number): LocalConsumer | undefined {
    return this.#local.get(id);
  }

  /** Seconds between two looks that serve all leases and stall timeouts. */
  get interval(): number {
    const wanted = [...this.#local.values()].flatMap(({ request }) => [
      request.lease / 3,
      (request.stallTimeout ?? Infinity) / 4,
    ]);
    return Math.max(0.02, Math.min(1, ...wanted));
  }

  /** In a write transaction. */
  join(request: ConsumerRequest, now: number): LocalConsumer {
    this.#life ??= LifeLock.take(join(this.#locks, this.#lockName));
    const id = this.#messages.nextId('consumer', 1);
    const consumer = { id, request, expires: 0, claims: 0, beat: 0, beatAt: performance.now(), stalled: false };
    this.#renew(consumer, now);
    this.#joining.push(consumer);
    return consumer;
  }

  /** In a write transaction; tells whether claims were given back. */
  leave(id: number): boolean {
    if (!this.#local.has(id)) return false;
    const any = this.#expel(id, false);
    this.#leaving.push(id);
    return any;
  }

  /** The transaction in which consumers joined or left has been committed. */
  committed(): void {
    for (const consumer of this.#joining) this.#local.set(consumer.id, consumer);
    for (const id of this.#leaving) this.#local.delete(id);
    this.rolledBack();
  }

  /** It has not: who joined in it is not there, and who left still is. */
  rolledBack(): void {
    this.#joining = [];
    this.#leaving = [];
  }

  /** Does nothing more for one that could not leave: its claims are given back when its lease is over. */
  abandon(id: number): void {
    this.#local.delete(id);
  }

  /** The number for a new claim, with a lease that lasts. In a write transaction. */
  nextClaim(consumer: LocalConsumer, now: number): number {
    const { expires, request } = consumer;
    if (expires - now < request.lease / 2 || !this.#isListed(consumer.id)) this.#renew(consumer, now);
    return ++consumer.claims;
  }

  /** Renews what is due, lets go of what stalls and gives back what the dead held; tells whether there was any of it. */
  maintain(now: number): boolean {
    const local = [...this.#local.values()];
    for (const consumer of local) this.#watch(consumer);
    const stalled = local.filter((consumer) => consumer.stalled && consumer.expires > 0);
    const due = local.filter(({ stalled, expires, request }) => !stalled && expires - now < (request.lease * 2) / 3);
    const others = this.#others();
    this.#suspect(others, now);
    const lost = others.filter((row) => this.#isLost(row));
    if (stalled.length + due.length + lost.length === 0) return false;
    let any = false;
    this.#db.write('normal', () => {
      for (const consumer of due) this.#renew(consumer, now);
      for (const consumer of stalled) any = this.#expel(consumer.id, true) || any;
      for (const { id } of lost) if (this.#isStillLost(id)) any = this.#expel(id, true) || any;
    });
    for (const consumer of stalled) consumer.expires = 0;
    for (const { lock } of lost) if (lock !== '') sweepLock(join(this.#locks, lock));
    return any;
  }

  /** Removes what processes that were killed have left in the directory. */
  sweepFiles(): void {
    const listed = new Set(this.#db.all<ConsumerRow>('SELECT lock FROM consumers').map((row) => row.lock));
    for (const name of readdirSync(this.#locks)) {
      if (name.endsWith(lockSuffix) && !listed.has(name) && name !== this.#lockName) sweepLock(join(this.#locks, name));
    }
  }

  /**
   * Lets go of everything. Whoever stops in good order has left before: claims that are still held here belong to a
   * process that ends in the midst of its work, and may end because of it, so they count as attempts.
   */
  close(): void {
    try {
      if (this.#local.size === 0) return;
      this.#db.write('normal', () => {
        for (const id of this.#local.keys()) this.#expel(id, true);
      });
    } finally {
      this.#local.clear();
      this.#life?.release();
      this.#life = undefined;
    }
  }

  #watch(consumer: LocalConsumer): void {
    const { heartbeat, stallTimeout } = consumer.request;
    if (heartbeat === undefined || stallTimeout === undefined) return;
    const beat = Atomics.load(heartbeat, 0);
    const now = performance.now();
    if (beat !== consumer.beat) {
      consumer.beat = beat;
      consumer.beatAt = now;
    }
    consumer.stalled = now - consumer.beatAt > stallTimeout * 1000;
  }

  // Renewed rather than inserted anew where it is still there; an expelled one comes back without its claims.
  #renew(consumer: LocalConsumer, now: number): void {
    const { id, request } = consumer;
    const expires = now + request.lease;
    this.#db.run(
      `INSERT INTO consumers (id, hostname, pid, lock, expires) VALUES (?,?,?,?,?)
       ON CONFLICT (id) DO UPDATE SET expires = excluded.expires`,
      [id, request.hostname, process.pid, this.#life === undefined ? '' : this.#lockName, expires],
    );
    consumer.expires = expires;
  }

  #others(): ConsumerRow[] {
    const rows = this.#db.all<ConsumerRow>('SELECT id, lock, expires FROM consumers');
    return rows.filter(({ id }) => !this.#local.has(id));
  }

  #isListed(id: number): boolean {
    return this.#db.all('SELECT 1 FROM consumers WHERE id = ?', [id]).length > 0;
  }

  #suspect(others: readonly ConsumerRow[], now: number): void {
    const expired = new Map(others.filter(({ expires }) => expires < now).map((row) => [row.id, row.expires]));
    for (const [id, { expires }] of this.#suspects) if (expired.get(id) !== expires) this.#suspects.delete(id);
    for (const [id, expires] of expired) {
      if (!this.#suspects.has(id)) this.#suspects.set(id, { expires, since: performance.now() });
    }
  }

  #isLost({ id, lock, expires }: ConsumerRow): boolean {
    const suspect = this.#suspects.get(id);
    const over = suspect?.expires === expires && performance.now() - suspect.since > grace;
    return over || this.#isDead(lock);
  }

  // Looked at again inside the transaction: it may have renewed its lease since.
  #isStillLost(id: number): boolean {
    const row = this.#db.all<ConsumerRow>('SELECT id, lock, expires FROM consumers WHERE id = ?', [id])[0];
    return row !== undefined && this.#isLost(row);
  }

  // One without flock has no lock file; only its lease tells.
  #isDead(lock: string): boolean {
    return lock !== '' && isDead(join(this.#locks, lock));
  }

  #expel(id: number, attempted: boolean): boolean {
    const any = this.#messages.giveBack(id, attempted);
    this.#db.run('DELETE FROM consumers WHERE id = ?', [id]);
    return any;
  }
}
