import type { QuarantinedMessage, QueueSize } from '../broker.ts';
import type { Database } from './database.ts';
import type { Calls, ClaimedRow, ClaimKeys } from './protocol.ts';

interface ReadyRow {
  readonly rank: number;
  readonly id: number;
  readonly failures: number;
  readonly redelivered: number;
}

interface ClaimRow extends ReadyRow {
  readonly claim: number;
  readonly queue: string;
}

/** What is noted of messages that are claimed together. */
interface NewClaim {
  readonly consumer: number;
  readonly number: number;
  /** It counts as an attempt from now on. */
  readonly begun: boolean;
}

/** The statements on messages. All but the reading ones are to be called in a write transaction. */
export class Messages {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  publish({ queues, ranks, dues, texts }: Calls['publish'][0]): void {
    const first = this.nextId('message', texts.length);
    const rows: (string | number)[] = [];
    const ready = new Map<string, { queue: string; rank: number; ids: number[] }>();
    let bytes = 0;
    for (let i = 0; i < texts.length; i++) {
      const id = first + i;
      const [queue, rank, due] = [queues[i]!, ranks[i]!, dues[i]!];
      rows.push(id, texts[i]!);
      bytes += texts[i]!.length + 100;
      if (due === null) group(ready, queue, rank).push(id);
      else this.#db.run('INSERT INTO delayed (due, id, queue, rank) VALUES (?,?,?,?)', [due, id, queue, rank]);
    }
    this.#db.insert('INSERT INTO messages', 2, rows);
    for (const { queue, rank, ids } of ready.values()) {
      const sql = 'INSERT INTO ready (queue, rank, id) SELECT ?1, ?2, value FROM json_each(?3)';
      this.#db.run(sql, [queue, rank, JSON.stringify(ids)]);
    }
    this.#db.wrote(bytes);
  }

  hasReady(queues: readonly string[]): boolean {
    return queues.some((queue) => this.#db.all('SELECT 1 FROM ready WHERE queue = ? LIMIT 1', [queue]).length > 0);
  }

  nextDue(): number | undefined {
    return this.#db.all<{ due: number }>('SELECT due FROM delayed ORDER BY due LIMIT 1')[0]?.due;
  }

  /** Makes ready what is due, some thousands at a time; tells whether there was anything. */
  promote(now: number): boolean {
    const sql = 'SELECT due, id FROM delayed WHERE due <= ? ORDER BY due, id LIMIT 5000';
    const last = this.#db.all<{ due: number; id: number }>(sql, [now]).at(-1);
    if (last === undefined) return false;
    this.#db.run(
      'INSERT INTO ready SELECT queue, rank, id, failures, redelivered FROM delayed WHERE (due, id) <= (?,?)',
      [last.due, last.id],
    );
    this.#db.run('DELETE FROM delayed WHERE (due, id) <= (?,?)', [last.due, last.id]);
    return true;
  }

  /** Claims up to `max`: the most urgent over all queues, the oldest among equals. */
  claim(claim: NewClaim, queues: readonly string[], max: number): ClaimedRow[] {
    const heads = queues.flatMap((queue) => this.#head(queue, max));
    if (heads.length === 0) return [];
    if (queues.length > 1) heads.sort((a, b) => a.rank - b.rank || a.id - b.id);
    const taken = heads.slice(0, max);
    for (const queue of queues) {
      const last = taken.findLast((row) => row.queue === queue);
      if (last !== undefined) this.#move(claim, last);
    }
    return this.#texts(claim, taken);
  }

  begin({ consumer, messages, claims }: ClaimKeys): void {
    const sql = 'UPDATE claims SET begun = 1 WHERE consumer = ? AND id = ? AND claim = ?';
    for (const [i, id] of messages.entries()) this.#db.run(sql, [consumer, id, claims[i]!]);
  }

  acknowledge(keys: ClaimKeys): boolean[] {
    const settled = this.#settle(keys);
    this.#deleteTexts(present(settled).map((row) => row.id));
    return settled.map((row) => row !== undefined);
  }

  /** Puts claimed messages back, at once or delayed; tells whether there was one. */
  release({ due, attempted, last, ...keys }: Calls['release'][0]): boolean {
    const settled = present(this.#settle(keys));
    for (const { queue, rank, id, failures } of settled) {
      const row = [queue, rank, last ? this.#renumber(id) : id, failures + (attempted ? 1 : 0), 1];
      if (due === null) this.#db.run('INSERT INTO ready VALUES (?,?,?,?,?)', row);
      else
        this.#db.run('INSERT INTO delayed (due, queue, rank, id, failures, redelivered) VALUES (?,?,?,?,?,?)', [
          due,
          ...row,
        ]);
    }
    return settled.length > 0;
  }

  /** Puts a message behind all others by a new number, which it tells. */
  #renumber(id: number): number {
    const next = this.nextId('message', 1);
    this.#db.run('UPDATE messages SET id = ? WHERE id = ?', [next, id]);
    return next;
  }

  quarantine(keys: ClaimKeys, reason: string, id: string | null, now: number): void {
    for (const { id: message, queue } of present(this.#settle(keys))) {
      this.#db.run(
        'INSERT INTO quarantine (queue, id, reason, time, text) SELECT ?,?,?,?, text FROM messages WHERE id = ?',
        [queue, id, reason, now, message],
      );
      this.#deleteTexts([message]);
    }
  }

  quarantined(limit: number): QuarantinedMessage[] {
    const sql = 'SELECT queue, id, reason, time, text FROM quarantine ORDER BY number DESC LIMIT ?';
    const rows = this.#db.all<QuarantinedMessage & { id: string | null }>(sql, [limit]);
    return rows.map(({ queue, id, reason, time, text }) => ({ queue, id: id ?? undefined, reason, time, text }));
  }

  /** Gives back everything a consumer holds, what it had begun as attempted; tells whether it was anything. */
  giveBack(consumer: number, attempted: boolean): boolean {
    const any = this.#db.all('SELECT 1 FROM claims WHERE consumer = ? LIMIT 1', [consumer]).length > 0;
    if (!any) return false;
    this.#db.run('INSERT INTO ready SELECT queue, rank, id, failures + ? * begun, 1 FROM claims WHERE consumer = ?', [
      attempted ? 1 : 0,
      consumer,
    ]);
    this.#db.run('DELETE FROM claims WHERE consumer = ?', [consumer]);
    return true;
  }

  /** Deletes some of the messages that wait in a queue, about `limit`; tells how many, 0 when there are none left. */
  purge(queue: string, limit: number): number {
    const ids = this.#purgeReady(queue, limit);
    if (ids.length < limit) for (const id of this.#purgeDelayed(queue, limit - ids.length)) ids.push(id);
    this.#deleteTexts(ids);
    return ids.length;
  }

  // The oldest of each priority: their texts lie side by side, while those of one priority are strewn over all pages.
  #purgeReady(queue: string, limit: number): number[] {
    const ranks = this.#ranks(queue);
    const ids: number[] = [];
    for (const rank of ranks) {
      const sql = 'SELECT id FROM ready WHERE queue = ? AND rank = ? ORDER BY id LIMIT ?';
      const rows = this.#db.all<{ id: number }>(sql, [queue, rank, Math.ceil(limit / ranks.length)]);
      this.#db.run('DELETE FROM ready WHERE queue = ? AND rank = ? AND id <= ?', [queue, rank, rows.at(-1)!.id]);
      for (const { id } of rows) ids.push(id);
    }
    return ids;
  }

  #ranks(queue: string): number[] {
    const ranks: number[] = [];
    const sql = 'SELECT rank FROM ready WHERE queue = ? AND rank > ? ORDER BY rank LIMIT 1';
    for (let rank: number | undefined = -1; rank !== undefined;) {
      rank = this.#db.all<{ rank: number }>(sql, [queue, rank])[0]?.rank;
      if (rank !== undefined) ranks.push(rank);
    }
    return ranks;
  }

  #purgeDelayed(queue: string, limit: number): number[] {
    const sql = 'SELECT id FROM delayed WHERE queue = ? ORDER BY id LIMIT ?';
    const ids = this.#db.all<{ id: number }>(sql, [queue, limit]).map(({ id }) => id);
    if (ids.length > 0) this.#db.run('DELETE FROM delayed WHERE queue = ? AND id <= ?', [queue, ids.at(-1)!]);
    return ids;
  }

  sizes(queues: readonly string[] | undefined): QueueSize[] {
    const sizes = new Map<string, { queue: string; waiting: number; delayed: number; claimed: number }>();
    const size = (queue: string) => {
      let entry = sizes.get(queue);
      if (entry === undefined) sizes.set(queue, (entry = { queue, waiting: 0, delayed: 0, claimed: 0 }));
      return entry;
    };
    for (const queue of queues ?? []) size(queue);
    if (queues !== undefined) {
      // By name, so that of the longest table only the part of these queues is walked.
      const sql = 'SELECT count(*) AS n FROM ready WHERE queue = ?';
      for (const entry of sizes.values()) entry.waiting = this.#db.all<{ n: number }>(sql, [entry.queue])[0]!.n;
    } else for (const { queue, n } of this.#counts('ready')) size(queue).waiting = n;
    const wanted = (row: { queue: string }) => queues === undefined || sizes.has(row.queue);
    for (const row of this.#counts('delayed').filter(wanted)) size(row.queue).delayed = row.n;
    for (const row of this.#counts('claims').filter(wanted)) size(row.queue).claimed = row.n;
    return [...sizes.values()];
  }

  #counts(table: 'ready' | 'delayed' | 'claims'): { queue: string; n: number }[] {
    return this.#db.all(`SELECT queue, count(*) AS n FROM ${table} GROUP BY queue`);
  }

  /** The first of `count` numbers never given before. */
  nextId(name: string, count: number): number {
    const sql = 'UPDATE counters SET value = value + ? WHERE name = ? RETURNING value';
    return this.#db.all<{ value: number }>(sql, [count, name])[0]!.value - count;
  }

  #head(queue: string, max: number): (ReadyRow & { queue: string })[] {
    const sql = 'SELECT rank, id, failures, redelivered FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ?';
    const rows = this.#db.all<ReadyRow & { queue: string }>(sql, [queue, max]);
    for (const row of rows) row.queue = queue;
    return rows;
  }

  // What was taken of a queue is all of it up to the last one, so that two ranges do it.
  #move({ consumer, number, begun }: NewClaim, last: ReadyRow & { queue: string }): void {
    const { queue, rank, id } = last;
    this.#db.run(
      `INSERT INTO claims (consumer, id, claim, queue, rank, failures, redelivered, begun)
       SELECT ?, id, ?, queue, rank, failures, redelivered, ? FROM ready WHERE queue = ? AND (rank, id) <= (?,?)`,
      [consumer, number, begun ? 1 : 0, queue, rank, id],
    );
    this.#deleteHead(last);
  }

  #deleteHead({ queue, rank, id }: ReadyRow & { queue: string }): void {
    this.#db.run('DELETE FROM ready WHERE queue = ? AND (rank, id) <= (?,?)', [queue, rank, id]);
  }

  #texts({ consumer, number }: NewClaim, taken: readonly (ReadyRow & { queue: string })[]): ClaimedRow[] {
    const sql = 'SELECT text FROM json_each(?) AS j LEFT JOIN messages AS m ON m.id = j.value ORDER BY j.key';
    const rows = this.#db.all<{ text: unknown }>(sql, [JSON.stringify(taken.map((row) => row.id))]);
    const claimed: ClaimedRow[] = [];
    for (const [i, { id, queue, failures, redelivered }] of taken.entries()) {
      const text = rows[i]!.text;
      // A message whose text is gone can only come from a hand in the tables; there is nothing to hand out.
      if (text === null) this.#db.run('DELETE FROM claims WHERE consumer = ? AND id = ?', [consumer, id]);
      else claimed.push([id, number, queue, failures + 1, redelivered !== 0, asText(text)]);
    }
    return claimed;
  }

  /** Ends those of the claims that are still held; undefined stands for one that was lost, or named twice. */
  #settle({ consumer, messages, claims }: ClaimKeys): (ClaimRow | undefined)[] {
    const sql =
      'SELECT c.id, claim, queue, rank, failures FROM json_each(?) AS j CROSS JOIN claims AS c ON consumer = ? AND c.id = j.value';
    const rows = this.#db.all<ClaimRow>(sql, [JSON.stringify(messages), consumer]);
    const claimed = new Map(rows.map((row) => [row.id, row]));
    const settled = messages.map((id, i) => {
      const row = claimed.get(id);
      if (row === undefined || row.claim !== claims[i]) return undefined;
      claimed.delete(id);
      return row;
    });
    const ids = JSON.stringify(present(settled).map((row) => row.id));
    this.#db.run('DELETE FROM claims WHERE consumer = ? AND id IN (SELECT value FROM json_each(?))', [consumer, ids]);
    return settled;
  }

  #deleteTexts(ids: readonly number[]): void {
    this.#db.run('DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))', [JSON.stringify(ids)]);
    this.#db.wrote(ids.length * 300);
  }
}

function group(
  groups: Map<string, { queue: string; rank: number; ids: number[] }>,
  queue: string,
  rank: number,
): number[] {
  const key = `${rank}${queue}`;
  let entry = groups.get(key);
  if (entry === undefined) groups.set(key, (entry = { queue, rank, ids: [] }));
  return entry.ids;
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.filter((item) => item !== undefined);
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof ArrayBuffer || value instanceof Uint8Array) return Buffer.from(value as ArrayBuffer).toString();
  return String(value);
}
