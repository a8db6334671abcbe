import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerOptions } from '../../../src/tasks/broker.ts';
import { openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import { Directory } from './directory.ts';
import { idOf, message } from './messages.ts';
import { Program } from './program.ts';

const options: ConsumerOptions = { queues: ['q'], lease: 0.3, hostname: 'here' };

test('a consumer that could not join is not kept alive', async () => {
  using directory = new Directory();
  await using joiner = new Program('joiner', [directory.database]);
  assert.match(await joiner.next<string>(), /nothing was written|could not be .* written/);
  assert.equal(await joiner.next(), 1);
  assert.equal(await joiner.end(), 0, joiner.errors);
});

// What is asked for in one tick is one transaction; a message that is refused rolls back all of it.
test('a consumer that left in a transaction which was rolled back gives its claims back all the same', async () => {
  using directory = new Directory();
  await using broker = await openBroker(directory.url);
  const leaving = await broker.consume({ ...options, lease: 3600 });
  await broker.publish([message('a')]);
  assert.equal((await leaving.receive(1)).length, 1);
  using db = new Refusing(directory.database, 'messages');
  await Promise.all([leaving.close(), assert.rejects(broker.publish([message('b')]), /not this one/)]);
  assert.deepEqual(db.leases(), []);
  const [back] = await (await broker.consume(options)).receive(1);
  assert.deepEqual([idOf(back!), back!.deliveries], ['a', 1]);
});

/** A database that refuses every row of a table, and a look into it. */
class Refusing implements Disposable {
  readonly #db;

  constructor(path: string, table: string) {
    this.#db = loadSqlite().open(path);
    this.#db.exec(`PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0;
      CREATE TRIGGER refuse BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'not this one'); END`);
  }

  /** When the lease of each consumer ends. */
  leases(): number[] {
    return this.#db
      .prepare('SELECT expires FROM consumers')
      .all([])
      .map((row) => Number(row['expires']));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
