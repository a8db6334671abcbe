import type { Database } from './database.ts';
import type { Calls, ResultRow } from './protocol.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly document: string;
}

/** A row of the table: each result stored later, or stored anew, has a greater number. */
export interface ResultMark {
  readonly row: number;
  readonly id: string;
}

const final = `('SUCCESS', 'FAILURE', 'REVOKED')`;

/** The statements on results. `store`, `forget` and `sweep` are to be called in a write transaction. */
export class Results {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  store({ ids, states, documents, lifetimes }: Calls['store'][0], now: number): void {
    if (this.hasExpired(now)) {
      const sql = 'DELETE FROM results WHERE id IN (SELECT value FROM json_each(?)) AND expires <= ?';
      this.#db.run(sql, [JSON.stringify(ids), now]);
    }
    const values: (string | number | null)[] = [];
    let bytes = 0;
    for (let i = 0; i < ids.length; i++) {
      const lifetime = lifetimes[i]!;
      values.push(ids[i]!, states[i]!, documents[i]!, lifetime === 0 ? null : Math.ceil(now + lifetime));
      bytes += documents[i]!.length + 1000;
    }
    // Stored anew it gets a new number. The subquery mentions `excluded` so that it is asked for every row, not once.
    const tail = `ON CONFLICT (id) DO UPDATE
      SET rowid = (SELECT r.rowid + 1 FROM results AS r WHERE excluded.id IS NOT NULL ORDER BY r.rowid DESC LIMIT 1),
        state = excluded.state, document = excluded.document, expires = excluded.expires
      WHERE state <> 'SUCCESS' AND (state NOT IN ${final} OR excluded.state IN ${final})`;
    this.#db.insert('INSERT INTO results (id, state, document, expires)', 4, values, tail);
    this.#db.wrote(bytes);
  }

  fetch(ids: readonly string[], now: number): Map<string, ResultRow> {
    const sql = `SELECT r.id, state, document FROM json_each(?) AS j CROSS JOIN results AS r ON r.id = j.value
      WHERE expires IS NULL OR expires > ?`;
    return toMap(this.#db.all<Row>(sql, [JSON.stringify(ids), now]));
  }

  /** Those of the results that are final. */
  fetchFinal(ids: readonly string[], now: number): Map<string, ResultRow> {
    const sql = `SELECT r.id, state, document FROM json_each(?) AS j CROSS JOIN results AS r ON r.id = j.value
      WHERE state IN ${final} AND (expires IS NULL OR expires > ?)`;
    return toMap(this.#db.all<Row>(sql, [JSON.stringify(ids), now]));
  }

  /** A place in the order in which results are stored; undefined while there are none. */
  newest(): ResultMark | undefined {
    return this.#db.all<ResultMark>('SELECT rowid AS row, id FROM results ORDER BY rowid DESC LIMIT 1')[0];
  }

  /**
   * The ids stored after a mark. Undefined if the mark's own row is gone: SQLite gives the number of the last row again
   * once that row is deleted, so what has come since cannot be told.
   */
  since({ row, id }: ResultMark): string[] | undefined {
    const marked = this.#db.all<ResultMark>('SELECT rowid AS row, id FROM results WHERE rowid = ?', [row])[0];
    if (marked?.id !== id) return undefined;
    return this.#db.all<{ id: string }>('SELECT id FROM results WHERE rowid > ?', [row]).map((stored) => stored.id);
  }

  forget(ids: readonly string[]): void {
    this.#db.run('DELETE FROM results WHERE id IN (SELECT value FROM json_each(?))', [JSON.stringify(ids)]);
  }

  hasExpired(now: number): boolean {
    return this.#db.all('SELECT 1 FROM results WHERE expires <= ? LIMIT 1', [now]).length > 0;
  }

  /** Deletes up to a thousand expired results. */
  sweep(now: number): void {
    const sql = 'DELETE FROM results WHERE rowid IN (SELECT rowid FROM results WHERE expires <= ? LIMIT 1000)';
    this.#db.run(sql, [now]);
  }
}

function toMap(rows: readonly Row[]): Map<string, ResultRow> {
  return new Map(rows.map(({ id, state, document }) => [id, [id, state, document] as const]));
}
