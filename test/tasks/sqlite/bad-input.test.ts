import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { DecodeError, InvalidArgumentError, SystemError, UnsupportedError } from '../../../src/base/errors.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import { locate } from '../../../src/tasks/sqlite/location.ts';
import { redactUrl } from '../../../src/tasks/url.ts';
import { Directory } from './directory.ts';
import { message } from './messages.ts';
import { Program } from './program.ts';

const linux = process.platform === 'linux';

function canMount(): boolean {
  const probe = ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()];
  return linux && spawnSync('unshare', probe).status === 0;
}

/** The rejection, checked to be one line that names the file. */
async function rejection(opening: Promise<unknown>, path: string): Promise<Error> {
  const error: unknown = await opening.then(
    () => assert.fail('it should have been refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  assert.ok(!error.message.includes('\n'), error.message);
  assert.ok(error.message.includes(path), error.message);
  return error;
}

test('an unknown scheme is refused, naming the known ones and no password', async () => {
  for (const open of [openBroker, openBackend]) {
    await assert.rejects(open('gopher://me:secret@host'), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.match(error.message, /memory:\/\/.*sqlite:\/\//);
      assert.ok(!error.message.includes('secret') && error.message.includes('me:***@host'), error.message);
      return true;
    });
    await assert.rejects(open('no url'), InvalidArgumentError);
    await assert.rejects(open(undefined as unknown as string), InvalidArgumentError);
  }
});

test('passwords are taken out of URLs', () => {
  assert.equal(redactUrl('redis://:pa@ss/wo#rd@host:1/0'), 'redis://:***@host:1/0');
  assert.equal(redactUrl('amqp://u:p@a;amqp://u:q@b'), 'amqp://u:***@a;amqp://u:***@b');
  assert.equal(redactUrl('rediss://host?ssl=1&password=x&y=2'), 'rediss://host?ssl=1&password=***&y=2');
  assert.equal(redactUrl('sqlite:///tmp/a@b.db'), 'sqlite:///tmp/a@b.db');
});

test('URLs name files', () => {
  assert.equal(locate('sqlite://', '/w').path, '/w/.simul/simul.db');
  assert.equal(locate('sqlite:', '/w').path, '/w/.simul/simul.db');
  assert.equal(locate('sqlite:a/b.db', '/w').path, '/w/a/b.db');
  assert.equal(locate('sqlite://b.db', '/w').path, '/w/b.db');
  assert.equal(locate('sqlite:///x/a%20b.db', '/w').path, '/x/a b.db');
});

test('files and directories are for their owner alone, and .simul is not for git', async () => {
  using directory = new Directory();
  const path = join(directory.path, 'project', '.simul', 'simul.db');
  await using broker = await openBroker(`sqlite://${path}`);
  await broker.publish([message('a')]);
  const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
  assert.deepEqual(
    [mode(path), mode(`${path}-wal`), mode(dirname(path)), mode(`${path}-locks`)],
    ['600', '600', '700', '700'],
  );
  assert.equal(readFileSync(join(dirname(path), '.gitignore'), 'utf8'), '*\n');
  for (const name of readdirSync(`${path}-locks`)) assert.equal(mode(join(`${path}-locks`, name)), '600');
  const others = readdirSync(dirname(path)).filter((name) => !name.startsWith(basename(path)));
  assert.deepEqual(others, ['.gitignore'], 'nothing else is left');
});

test('a file that is no database is refused and left as it is', async () => {
  using directory = new Directory();
  const text = 'A shopping list, not a database.\n'.repeat(100);
  writeFileSync(directory.database, text);
  const error = await rejection(openBroker(directory.url), directory.database);
  assert.ok(error instanceof DecodeError, error.message);
  assert.match(error.message, /not a SQLite database/);
  assert.equal(readFileSync(directory.database, 'utf8'), text);
});

test('a directory in place of the file is refused', async () => {
  using directory = new Directory();
  mkdirSync(directory.database);
  const error = await rejection(openBackend(directory.url), directory.database);
  assert.ok(error instanceof SystemError && error.code === 'EISDIR', error.message);
});

test('a file in place of a directory is refused', async () => {
  using directory = new Directory();
  writeFileSync(join(directory.path, 'file'), '');
  const path = join(directory.path, 'file', 'queue.db');
  const error = await rejection(openBroker(`sqlite://${path}`), path);
  assert.ok(error instanceof SystemError && /ENOTDIR|EEXIST/.test(error.code), error.message);
});

test('a database of another program is refused and left as it is', async () => {
  using directory = new Directory();
  const db = loadSqlite().open(directory.database);
  db.exec('CREATE TABLE customers (name TEXT)');
  db.close();
  const error = await rejection(openBroker(directory.url), directory.database);
  assert.ok(error instanceof UnsupportedError, error.message);
  assert.match(error.message, /another program/);
});

test('a database of a newer version is refused', async () => {
  using directory = new Directory();
  await (await openBroker(directory.url)).close();
  const db = loadSqlite().open(directory.database);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const error = await rejection(openBroker(directory.url), directory.database);
  assert.ok(error instanceof UnsupportedError, error.message);
  assert.match(error.message, /99.*update/);
});

test('what may not be written is refused', { skip: process.getuid?.() === undefined }, async () => {
  using directory = new Directory();
  await (await openBroker(directory.url)).close();
  chmodSync(directory.path, 0o755);
  chmodSync(`${directory.database}-locks`, 0o755);
  // Root may write everything, so the program runs as nobody.
  const as = process.getuid!() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (process.getuid!() !== 0) chmodSync(directory.database, 0o400);
  await using file = new Program('opener', [directory.url], as);
  const refused = await file.next<{ name: string; code: string; message: string }>();
  assert.deepEqual([refused.name, refused.code], ['SystemError', 'EACCES'], refused.message);
  assert.ok(refused.message.includes(directory.database) && refused.message.includes('give this user the right'));
  if (process.getuid!() !== 0) chmodSync(directory.path, 0o500);
  await using fresh = new Program('opener', [`sqlite://${join(directory.path, 'new', 'q.db')}`], as);
  const refusedToo = await fresh.next<{ code: string; message: string }>();
  assert.equal(refusedToo.code, 'EACCES', refusedToo.message);
  if (process.getuid!() !== 0) chmodSync(directory.path, 0o700);
  assert.ok(!existsSync(join(directory.path, 'new')));
});

interface FullDisk {
  readonly refusals: string[];
  readonly settled: boolean[];
  readonly complete: boolean;
  readonly left: number;
  readonly results: (string | null)[];
}

async function checkFullDisk(program: Program, refusal: RegExp): Promise<void> {
  const report = await program.next<FullDisk>();
  assert.ok(report.refusals.length >= 3);
  for (const line of report.refusals) assert.match(line, refusal);
  const { settled, complete, left, results } = report;
  assert.deepEqual({ settled, complete, left }, { settled: [true], complete: true, left: 0 });
  assert.deepEqual([results[0], results[2]], ['kept', 'kept']);
  assert.equal(await program.end(), 0, program.errors);
}

test('a file that may not grow refuses what it cannot hold, loses nothing and heals', { skip: !linux }, async () => {
  using directory = new Directory();
  await using program = new Program('full-disk', [directory.path, 'limit']);
  await checkFullDisk(program, /^SystemError EIO EIO: .*could not be read or written.*queue\.db/);
});

test('a full disk refuses what it cannot hold, loses nothing and heals', { skip: !canMount() }, async () => {
  using directory = new Directory();
  // A file system in a mount namespace of its own: it ends with the program.
  const mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"';
  const wrapper = ['unshare', '-m', 'sh', '-c', mount, directory.path];
  await using program = new Program('full-disk', [directory.path, 'fill'], {}, wrapper);
  await checkFullDisk(program, /^SystemError ENOSPC ENOSPC: .*disk of the database is full.*queue\.db/);
});
