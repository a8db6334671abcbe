import {
  BrokenError,
  DecodeError,
  SimulError,
  SystemError,
  TimeoutError,
  UnsupportedError,
} from '../../base/errors.ts';

/** An error as it crosses from SQLite's thread: an error object would lose its class and fields on the way. */
export interface Failure {
  /** SQLite's primary result code, where it was SQLite's. */
  readonly sqlite: number | undefined;
  readonly name: string;
  readonly message: string;
  readonly errno: number | undefined;
  readonly code: string | undefined;
}

export function toFailure(error: unknown): Failure {
  const { rawCode, errcode, name, message, errno, code } = error as Record<string, unknown>;
  const result = rawCode ?? errcode;
  return {
    sqlite: typeof result === 'number' ? result & 0xff : undefined,
    name: String(name),
    message: error instanceof Error ? String(message) : String(error),
    errno: typeof errno === 'number' ? Math.abs(errno) : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}

/** The error for the user: what happened, to which file, what to do. */
export function fromFailure(failure: Failure, path: string): SimulError {
  const { sqlite, name, message, errno, code } = failure;
  const cause = new Error(message);
  if (sqlite !== undefined) return fromSqlite(sqlite, message, path, cause);
  if (name === 'TimeoutError') return new TimeoutError(message);
  if (name === 'UnsupportedError') return new UnsupportedError(message);
  if (errno !== undefined && code !== undefined) return new SystemError(code, errno, 'write', { path, message, cause });
  return new BrokenError(`the database ${JSON.stringify(path)} failed: ${message}`, { cause });
}

function fromSqlite(result: number, message: string, path: string, cause: Error): SimulError {
  const name = JSON.stringify(path);
  switch (result) {
    case 13: // SQLITE_FULL
      return new SystemError('ENOSPC', 28, 'write', {
        path,
        message: 'the disk of the database is full, nothing was written; free some space and try again',
        cause,
      });
    case 10: // SQLITE_IOERR
      return new SystemError('EIO', 5, 'write', {
        path,
        message: `the database could not be read or written (${message}); look at the disk`,
        cause,
      });
    case 8: // SQLITE_READONLY
    case 3: // SQLITE_PERM
    case 14: // SQLITE_CANTOPEN
      return new SystemError('EACCES', 13, 'open', {
        path,
        message: `the database cannot be opened for writing (${message}); give this user the right to write the file and its directory`,
        cause,
      });
    case 26: // SQLITE_NOTADB
      return new DecodeError(`${name} is not a SQLite database; name another file, or move this one away`, { cause });
    case 11: // SQLITE_CORRUPT
      return new BrokenError(
        `the database ${name} is damaged (${message}); save what "sqlite3 FILE .recover" finds, then delete it`,
        { cause },
      );
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new TimeoutError(`another program keeps the database ${name} locked`, { cause });
    default:
      return new BrokenError(`the database ${name} failed: ${message}`, { cause });
  }
}
