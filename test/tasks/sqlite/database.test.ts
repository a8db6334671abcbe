import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TimeoutError } from '../../../src/base/errors.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { Database } from '../../../src/tasks/sqlite/database.ts';
import { loadSqlite, resetsWalSafely } from '../../../src/tasks/sqlite/driver.ts';
import { hasFlock, WriteLock } from '../../../src/tasks/sqlite/lock.ts';
import { prepare } from '../../../src/tasks/sqlite/location.ts';
import { Directory } from './directory.ts';
import { idOf, message } from './messages.ts';

function open(directory: Directory): Database {
  const location = { path: directory.database, locks: `${directory.database}-locks` };
  prepare(location);
  return new Database(location.path, location.locks);
}

test('the versions with the WAL-reset bug are told from those without', () => {
  assert.deepEqual(['3.45.1', '3.51.2', '3.51.3', '3.52.0', '3.53.4', '4.0.0'].map(resetsWalSafely), [
    false,
    false,
    true,
    true,
    true,
    true,
  ]);
});

test('SQLite never makes a checkpoint of its own, and a failed transaction leaves nothing', () => {
  using directory = new Directory();
  const db = open(directory);
  const pragma = (name: string) => Object.values(db.all<Record<string, unknown>>(`PRAGMA ${name}`)[0]!)[0];
  assert.deepEqual([pragma('wal_autocheckpoint'), pragma('journal_mode')], [0, 'wal']);
  const insert = () => db.run(`INSERT INTO messages (text) VALUES ('x')`);
  const fail = () => {
    insert();
    throw new Error('half-way');
  };
  assert.throws(() => db.write('full', fail), /half-way/);
  db.write('normal', insert);
  assert.equal(pragma('synchronous'), 1);
  db.write('full', insert);
  assert.equal(pragma('synchronous'), 2);
  assert.equal(db.all<{ n: number }>('SELECT count(*) AS n FROM messages')[0]!.n, 2);
  db.close();
});

test('a database of the first version is brought up to date, with what is in it', async () => {
  using directory = new Directory();
  prepare({ path: directory.database, locks: `${directory.database}-locks` });
  const db = loadSqlite().open(directory.database);
  db.exec(firstVersion);
  db.close();
  await using broker = await openBroker(directory.url);
  const consumer = await broker.consume({ queues: ['q'], lease: 60, hostname: 'here', countFrom: 'begin' });
  const deliveries = await consumer.receive(2);
  assert.deepEqual(
    deliveries.map(({ deliveries, redelivered }) => [deliveries, redelivered]),
    [
      [1, false],
      [3, true],
    ],
  );
  await consumer.begin(deliveries);
  assert.deepEqual(await consumer.acknowledge(deliveries), [true, true]);
});

test('the log is copied back and used again, and does not grow with what is written', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const consumer = await broker.consume({ queues: ['q'], lease: 60, hostname: 'here' });
  for (let round = 0; round < 30; round++) {
    await broker.publish(Array.from({ length: 2000 }, (_, i) => message(`${round}.${i}`)));
    const deliveries = await consumer.receive(2000);
    assert.equal((await consumer.acknowledge(deliveries)).filter(Boolean).length, 2000);
  }
  const log = statSync(`${directory.database}-wal`).size;
  assert.ok(log < 40 * 2 ** 20, `the log has ${log} bytes after writing twice that`);
});

test("the write lock is one holder's at a time, and waiting for it ends", { skip: !hasFlock() }, () => {
  using directory = new Directory();
  const path = join(directory.path, 'write.lock');
  const [one, two] = [new WriteLock(path), new WriteLock(path, 0.05)];
  one.with(() => assert.throws(() => two.with(() => {}), TimeoutError));
  assert.equal(
    two.with(() => 5),
    5,
  );
  one.close();
  two.close();
});

test('what another handle of the file still needs is not closed', async () => {
  using directory = new Directory();
  const broker = await openBroker(directory.url);
  await using backend = await openBackend(directory.url);
  await broker.publish([message('a')]);
  await broker.close();
  await backend.store([{ id: 'a', state: 'SUCCESS', document: 'kept' }]);
  await using again = await openBroker(directory.url);
  const consumer = await again.consume({ queues: ['q'], lease: 60, hostname: 'here' });
  assert.deepEqual((await consumer.receive(1)).map(idOf), ['a']);
});

test('expired results are deleted by and by', async () => {
  using directory = new Directory();
  await using backend = await openBackend(directory.url, { resultExpires: 0.01 });
  await using lasting = await openBackend(directory.url, { resultExpires: 0 });
  await backend.store(Array.from({ length: 2500 }, (_, i) => ({ id: `t${i}`, state: 'SUCCESS', document: '' })));
  await lasting.store([{ id: 'kept', state: 'SUCCESS', document: '' }]);
  const db = loadSqlite().open(directory.database);
  db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000');
  const count = () => Number(db.prepare('SELECT count(*) AS n FROM results').all([])[0]!['n']);
  while (count() > 1) await new Promise((resolve) => setTimeout(resolve, 20));
  db.close();
  assert.deepEqual((await lasting.fetch(['kept'])).length, 1);
});

test('without flock it works all the same, with a rollback journal where the log could lose commits', async () => {
  using directory = new Directory();
  const built = fileURLToPath(new URL('../../../', import.meta.url));
  const modules = join(dirname(built), 'node_modules');
  // A copy that finds the SQLite library and not the one that calls libc.
  for (const part of ['src/base', 'src/os', 'src/tasks', 'test/tasks/sqlite']) {
    cpSync(join(built, part), join(directory.path, 'dist', part), { recursive: true });
  }
  writeFileSync(join(directory.path, 'package.json'), '{"type":"module"}');
  mkdirSync(join(directory.path, 'node_modules'));
  for (const name of ['libsql', '@libsql', '@neon-rs', 'detect-libc']) {
    if (existsSync(join(modules, name))) symlinkSync(join(modules, name), join(directory.path, 'node_modules', name));
  }
  const program = join(directory.path, 'dist/test/tasks/sqlite/fixtures/producer.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, directory.url, 'p', '3', '1'], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, '1\n2\n3\n'], stderr);
  assert.ok(!existsSync(`${directory.database}-locks/write.lock`), 'it had no flock');
  const db = loadSqlite().open(directory.database);
  const mode = resetsWalSafely(loadSqlite().version) ? 'wal' : 'delete';
  assert.equal(db.prepare('PRAGMA journal_mode').all([])[0]!['journal_mode'], mode);
  assert.equal(db.prepare('SELECT count(*) AS n FROM ready').all([])[0]!['n'], 3);
  db.close();
});

// As the first version made it, with a message that waits and one that was given back twice.
const firstVersion = `
PRAGMA journal_mode = wal; BEGIN;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('message', 3), ('consumer', 2);
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
  failures INTEGER NOT NULL, redelivered INTEGER NOT NULL,
  PRIMARY KEY (consumer, id)) WITHOUT ROWID;
CREATE TABLE consumers (
  id INTEGER PRIMARY KEY, hostname TEXT NOT NULL, pid INTEGER NOT NULL, lock TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT, reason TEXT NOT NULL, time REAL NOT NULL, text TEXT NOT NULL);
CREATE TABLE results (id TEXT PRIMARY KEY, state TEXT NOT NULL, document TEXT NOT NULL, expires REAL);
CREATE INDEX results_by_expiry ON results (expires) WHERE expires IS NOT NULL;
PRAGMA user_version = 1;
INSERT INTO messages VALUES (1, '{}'), (2, '{}');
INSERT INTO ready VALUES ('q', 9, 1, 0, 0), ('q', 9, 2, 2, 1);
COMMIT;
`;
