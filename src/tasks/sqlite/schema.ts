import { UnsupportedError } from '../../base/errors.ts';
import type { SqliteDatabase } from './driver.ts';

/** Raised with every change of the tables; kept in `PRAGMA user_version`. */
export const schemaVersion = 2;

// The texts are written once and read once; what changes with a message's condition are narrow rows beside them, so
// that claiming a thousand messages dirties a dozen pages instead of hundreds. `rank` is 9 - priority, so that all
// indexes run upwards; a message keeps its id, and with it its place, when it is given back.
const tables = `
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('message', 1), ('consumer', 1);
CREATE TABLE messages (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE ready (
  queue TEXT NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0, redelivered INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (queue, rank, id)) WITHOUT ROWID;
CREATE TABLE delayed (
  due REAL NOT NULL, id INTEGER NOT NULL, queue TEXT NOT NULL, rank INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0, redelivered INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (due, id)) WITHOUT ROWID;
CREATE TABLE claims (
  consumer INTEGER NOT NULL, id INTEGER NOT NULL, claim INTEGER NOT NULL, queue TEXT NOT NULL, rank INTEGER NOT NULL,
  failures INTEGER NOT NULL, redelivered INTEGER NOT NULL, begun INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (consumer, id)) WITHOUT ROWID;
CREATE TABLE consumers (
  id INTEGER PRIMARY KEY, hostname TEXT NOT NULL, pid INTEGER NOT NULL, lock TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT, reason TEXT NOT NULL, time REAL NOT NULL, text TEXT NOT NULL);
CREATE TABLE results (id TEXT PRIMARY KEY, state TEXT NOT NULL, document TEXT NOT NULL, expires REAL);
CREATE INDEX results_by_expiry ON results (expires) WHERE expires IS NOT NULL;
CREATE INDEX delayed_by_queue ON delayed (queue, id);
PRAGMA user_version = ${schemaVersion};
`;

/** What leads from each version to the next, the first one first. */
const steps = [
  `
ALTER TABLE claims ADD COLUMN begun INTEGER NOT NULL DEFAULT 1;
CREATE INDEX delayed_by_queue ON delayed (queue, id);
PRAGMA user_version = 2;
`,
];

/** Makes the tables of a new database, or checks those of an old one. To be called in a write transaction. */
export function applySchema(db: SqliteDatabase, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').all([])[0]?.['user_version']);
  if (version === schemaVersion) return;
  const name = JSON.stringify(path);
  if (version > schemaVersion) {
    throw new UnsupportedError(
      `the database ${name} has version ${version} and this Simul knows ${schemaVersion}: update it, or name another file`,
    );
  }
  if (version > 0) return steps.slice(version - 1).forEach((step) => db.exec(step));
  const strangers = db.prepare('SELECT count(*) AS n FROM sqlite_master').all([])[0]?.['n'];
  if (strangers !== 0) {
    throw new UnsupportedError(`the database ${name} holds tables of another program; name another file`);
  }
  db.exec(tables);
}
