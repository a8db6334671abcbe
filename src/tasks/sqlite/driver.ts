import { createRequire } from 'node:module';
import { MissingLibraryError } from '../../base/errors.ts';

export type SqlValue = string | number | null | Uint8Array;
export type Row = Record<string, unknown>;

export interface SqliteStatement {
  run(params: readonly SqlValue[]): void;
  all(params: readonly SqlValue[]): Row[];
}

/** What is needed of a SQLite library; two of them can give it. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteLibrary {
  readonly name: 'node:sqlite' | 'libsql';
  readonly version: string;
  open(path: string): SqliteDatabase;
}

/**
 * Node's own SQLite where it is free of the WAL-reset bug (https://sqlite.org/wal.html#walresetbug), else libsql, else
 * Node's own all the same.
 */
export function loadSqlite(): SqliteLibrary {
  const own = loadNodeSqlite();
  if (own !== undefined && resetsWalSafely(own.version)) return own;
  try {
    return loadLibsql();
  } catch (cause) {
    if (own !== undefined) return own;
    throw new MissingLibraryError('libsql', 'the embedded broker on this version of Node', { cause });
  }
}

/** Whether this version cannot lose commits when processes write and checkpoint at once. */
export function resetsWalSafely(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}

interface NativeStatement {
  run(...params: unknown[]): unknown;
  all(...params: unknown[]): Row[];
}
interface NativeDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  close(): unknown;
}
type NativeConstructor = new (path: string) => NativeDatabase;

const require = createRequire(import.meta.url);

function loadNodeSqlite(): SqliteLibrary | undefined {
  const version = process.versions['sqlite'];
  if (version === undefined) return undefined;
  try {
    const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: NativeConstructor };
    return { name: 'node:sqlite', version, open: (path) => adapt(new DatabaseSync(path), (params) => params) };
  } catch {
    return undefined; // Before Node 22.13 it hides behind a flag.
  }
}

function loadLibsql(): SqliteLibrary {
  const Database = require('libsql') as NativeConstructor;
  const memory = new Database(':memory:');
  const version = String(memory.prepare('SELECT sqlite_version() AS version').all()[0]?.['version']);
  memory.close();
  return { name: 'libsql', version, open: (path) => adapt(new Database(path), (params) => [params]) };
}

// libsql takes all parameters as one array, and is slow with several arguments; node:sqlite takes only arguments.
function adapt(db: NativeDatabase, args: (params: readonly SqlValue[]) => readonly unknown[]): SqliteDatabase {
  return {
    exec: (sql) => void db.exec(sql),
    close: () => void db.close(),
    prepare(sql) {
      const statement = db.prepare(sql);
      return {
        run: (params) => void statement.run(...args(params)),
        all: (params) => statement.all(...args(params)),
      };
    },
  };
}
