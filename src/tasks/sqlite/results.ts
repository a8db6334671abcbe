import type { Database } from './database.ts';
import type { Calls, ResultRow } from './protocol.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly document: string;
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
    const tail = `ON CONFLICT (id) DO UPDATE
      SET state = excluded.state, document = excluded.document, expires = excluded.expires
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
