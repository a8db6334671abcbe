import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { openBroker } from '../../../src/tasks/registry.ts';
import { Database } from '../../../src/tasks/sqlite/database.ts';
import { prepare } from '../../../src/tasks/sqlite/location.ts';
import { Messages } from '../../../src/tasks/sqlite/messages.ts';
import { Directory } from './directory.ts';
import { message } from './messages.ts';

const count = 20_000;
const steps = 10;

test('a purge writes no more for messages of many priorities than for those of one', () => {
  const [one, ten] = [1, 10].map(writtenByPurge) as [number, number];
  assert.ok(ten < one * 2, `${ten} bytes with ten priorities, ${one} with one`);
});

test('a purge finds the delayed messages of its queue by an index', () => {
  using directory = new Directory();
  const db = open(directory);
  const sql = `EXPLAIN QUERY PLAN SELECT id FROM delayed WHERE queue = 'q' ORDER BY id LIMIT 5`;
  const plan = db.all<{ detail: string }>(sql).map(({ detail }) => detail);
  assert.equal(plan.length, 1);
  assert.match(plan[0]!, /^SEARCH .*delayed_by_queue/);
  db.close();
});

test('a purge is complete however its messages are spread', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const priorities = [...Array.from({ length: 10_500 }, () => 5), 9, 0, 0];
  const due = Date.now() / 1000 + 3600;
  await broker.publish(priorities.map((priority, i) => message(`m${i}`, { priority })));
  await broker.publish(Array.from({ length: 50 }, (_, i) => message(`d${i}`, { due: due - i })));
  await broker.publish([message('other', { queue: 'other', due })]);
  assert.equal(await broker.purge('q'), priorities.length + 50);
  assert.deepEqual(await broker.sizes(), [{ queue: 'other', waiting: 0, delayed: 1, claimed: 0 }]);
});

/** Bytes that go into the log while messages of so many priorities, sent in turn, are purged in steps. */
function writtenByPurge(priorities: number): number {
  using directory = new Directory();
  const db = open(directory);
  const messages = new Messages(db);
  const all = Array.from({ length: count });
  db.write('normal', () =>
    messages.publish({
      queues: all.map(() => 'q'),
      ranks: all.map((_, i) => i % priorities),
      dues: all.map(() => null),
      texts: all.map(() => 'x'.repeat(900)),
    }),
  );
  const log = () => statSync(`${directory.database}-wal`).size;
  const before = log();
  for (let step = 0; step < steps; step++) {
    assert.equal(
      db.write('normal', () => messages.purge('q', count / steps)),
      count / steps,
    );
  }
  const written = log() - before;
  db.close();
  return written;
}

function open(directory: Directory): Database {
  const location = { path: directory.database, locks: `${directory.database}-locks` };
  prepare(location);
  return new Database(location.path, location.locks);
}
