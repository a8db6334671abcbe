import assert from 'node:assert/strict';
import { renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { within } from '../../../src/base/deadline.ts';
import { BrokenError } from '../../../src/base/errors.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import { Workspace } from '../../support/command.ts';
import { Directory } from './directory.ts';
import { idOf, message } from './messages.ts';

const gone = (error: unknown) => error instanceof BrokenError && /removed or replaced/.test(error.message);

test('a database removed under its users fails whatever waits and whatever comes', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  await using backend = await openBackend(directory.url);
  const consumer = await broker.consume({ queues: ['q'], lease: 60, hostname: 'here' });
  const waiting = Promise.all([
    assert.rejects(within(consumer.receive(1), { timeout: 30 }), gone),
    assert.rejects(within(backend.wait('a'), { timeout: 30 }), gone),
  ]);
  for (const name of ['', '-wal', '-shm', '-locks']) rmSync(`${directory.database}${name}`, { recursive: true });
  await waiting;
  await assert.rejects(broker.publish([message('a')]), gone);
  await assert.rejects(consumer.close(), gone);
  await using again = await openBroker(directory.url);
  await again.publish([message('b')]);
  assert.equal((await again.sizes(['q']))[0]!.waiting, 1);
});

test('nothing is accepted into a database that has been removed, and one in its place stays whole', async () => {
  using directory = new Directory();
  const broker = await openBroker(directory.url);
  await broker.publish([message('old')]);
  for (const name of ['', '-wal', '-shm', '-locks'])
    renameSync(`${directory.database}${name}`, `${directory.database}.old${name}`);
  // Under another name, and so as another process would make it anew.
  const alias = join(directory.path, 'alias');
  symlinkSync(directory.path, alias);
  await using other = await openBroker(`sqlite://${join(alias, 'queue.db')}`);
  await other.publish([message('new')]);
  const log = statSync(`${directory.database}-wal`).ino;
  await assert.rejects(broker.publish([message('lost')]), gone);
  await broker.close();
  assert.equal(statSync(`${directory.database}-wal`).ino, log);
  const consumer = await other.consume({ queues: ['q'], lease: 60, hostname: 'here' });
  assert.deepEqual((await consumer.receive(9)).map(idOf), ['new']);
  const db = loadSqlite().open(directory.database);
  assert.equal(db.prepare('PRAGMA integrity_check').all([])[0]!['integrity_check'], 'ok');
  db.close();
});

test('a worker stops with its exit code 1 and says why', async () => {
  using space = new Workspace();
  space.write('app.mjs', `import { Simul } from '{{simul}}'; export const app = new Simul('removed');`);
  const worker = await space.worker('-A', 'app.mjs');
  rmSync(`${space.path}/.simul`, { recursive: true });
  const { code, stderr } = await within(worker.ended, { timeout: 30 });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /simul: the worker stopped: .*removed or replaced/);
});
