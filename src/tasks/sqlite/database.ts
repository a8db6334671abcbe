import { statSync } from 'node:fs';
import { join } from 'node:path';
import { UnsupportedError } from '../../base/errors.ts';
import type { SqliteDatabase, SqliteLibrary, SqliteStatement, SqlValue } from './driver.ts';
import { loadSqlite, resetsWalSafely } from './driver.ts';
import { hasFlock, WriteLock } from './lock.ts';
import { applySchema } from './schema.ts';

/** `full` is on disk before it returns; `normal` survives the end of the process, and may be lost in a power cut. */
export type Durability = 'full' | 'normal';

const checkpointBytes = 16 * 2 ** 20;
const pageBytes = 4096;
/** Milliseconds. */
const idleTime = 500;

/** The one connection of SQLite's thread. */
export class Database {
  readonly library: SqliteLibrary;
  readonly #path: string;
  readonly #db: SqliteDatabase;
  readonly #file: string;
  readonly #lock: WriteLock;
  readonly #wal: boolean;
  readonly #statements = new Map<string, SqliteStatement>();
  #durability: Durability = 'full';
  #written = 0;
  #lastWrite = 0;

  constructor(path: string, locks: string) {
    this.#path = path;
    this.library = loadSqlite();
    this.#db = this.library.open(path);
    this.#file = identify(path);
    this.#lock = new WriteLock(join(locks, 'write.lock'));
    this.#wal = hasFlock() || resetsWalSafely(this.library.version);
    try {
      this.#setUp();
    } catch (error) {
      this.#lock.close();
      this.#db.close();
      throw error;
    }
  }

  /** Whether the file is no longer the one at its path: nobody else would see what is written into it. */
  get isRemoved(): boolean {
    return identify(this.#path) !== this.#file;
  }

  /** Runs `fn` in one write transaction; what fails leaves nothing behind. */
  write<T>(durability: Durability, fn: () => T): T {
    return this.#lock.with(() => {
      this.#setDurability(durability);
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = fn();
        this.#db.exec('COMMIT');
        this.#written += 4 * pageBytes;
        this.#lastWrite = performance.now();
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  run(sql: string, params: readonly SqlValue[] = []): void {
    this.#statement(sql).run(params);
  }

  all<Row>(sql: string, params: readonly SqlValue[] = []): Row[] {
    return this.#statement(sql).all(params) as Row[];
  }

  /** Inserts many rows; `columns` values each, laid flat. Far cheaper than a call for each row. */
  insert(head: string, columns: number, values: readonly SqlValue[], tail = ''): void {
    const row = `(${'?,'.repeat(columns - 1)}?)`;
    for (let at = 0; at < values.length;) {
      const rows = (values.length - at) / columns;
      const size = rows >= 100 ? 100 : rows >= 10 ? 10 : 1;
      const sql = `${head} VALUES ${`${row},`.repeat(size - 1)}${row} ${tail}`;
      this.run(sql, values.slice(at, (at += size * columns)));
    }
  }

  /** Counts towards the next checkpoint. */
  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** Copies the log into the file once it has grown enough; sooner when nothing has been written for a while. */
  checkpoint(): void {
    const idle = performance.now() - this.#lastWrite > idleTime;
    if (this.#written < (idle ? checkpointBytes / 8 : checkpointBytes)) return;
    this.#written = 0;
    try {
      this.#copyBack();
    } catch {
      // Tried again later: nothing is lost but the room the log takes.
    }
  }

  #copyBack(): void {
    // The checkpointer is alone: neither a writer nor another checkpointer is at work in any process.
    this.#lock.with(() => this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)').all([]));
  }

  close(): void {
    this.#statements.clear();
    try {
      // The last connection to close makes a checkpoint of its own accord.
      this.#lock.with(() => this.#db.close());
    } finally {
      this.#lock.close();
    }
  }

  #setUp(): void {
    this.#db.exec('PRAGMA busy_timeout = 5000');
    this.#lock.with(() => {
      this.#setJournal();
      this.#db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768');
      this.#db.exec('PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864');
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        applySchema(this.#db, this.#path);
        this.#db.exec('COMMIT');
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
    this.#written = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    this.checkpoint();
  }

  #setJournal(): void {
    const mode = this.#wal ? 'wal' : 'delete';
    const got = this.#db.prepare(`PRAGMA journal_mode = ${mode}`).all([])[0]?.['journal_mode'];
    if (got === mode) return;
    throw new UnsupportedError(
      `the database ${JSON.stringify(this.#path)} needs the journal mode ${mode} and has ${String(got)}: ` +
        'end the other programs that use it, and keep it on a disk of this machine',
    );
  }

  #setDurability(durability: Durability): void {
    // A rollback journal that is not synced can damage the file in a power cut, a log only lose its end.
    if (durability === this.#durability || !this.#wal) return;
    // Not possible inside a transaction. A full commit also syncs what normal ones before it have left in the log.
    this.#db.exec(`PRAGMA synchronous = ${durability}`);
    this.#durability = durability;
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself after some errors (a full disk among them).
    }
  }

  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

function identify(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false });
  return file === undefined ? '' : `${file.dev} ${file.ino}`;
}
