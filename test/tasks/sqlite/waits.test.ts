import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from '../../../src/tasks/sqlite/database.ts';
import { Results } from '../../../src/tasks/sqlite/results.ts';
import { Waits } from '../../../src/tasks/sqlite/waits.ts';
import { Directory } from './directory.ts';

const now = 1_000_000;
const ids = Array.from({ length: 200 }, (_, i) => `task-${i}`);

// More than are looked for one by one: only what is new is looked at, so nothing new may hide.
test('many that wait are answered with what was stored since the last look', () => {
  using desk = new Desk();
  desk.waitFor(ids);
  assert.deepEqual(desk.look(), []);
  desk.store(ids.slice(0, 20));
  assert.deepEqual(desk.look(), ids.slice(0, 20));
  assert.deepEqual(desk.look(), []);
  desk.store(['a stranger', ...ids.slice(20, 30)]);
  assert.deepEqual(desk.look(), ids.slice(20, 30));
});

test('a state that is followed by the end counts as new once more', () => {
  using desk = new Desk();
  desk.waitFor(ids);
  desk.store(ids.slice(0, 50), 'STARTED');
  assert.deepEqual(desk.look(), []);
  desk.store(ids.slice(0, 50), 'RETRY');
  desk.store(ids.slice(10, 20));
  assert.deepEqual(desk.look(), ids.slice(10, 20));
  desk.store(ids.slice(0, 10), 'FAILURE');
  assert.deepEqual(desk.look(), ids.slice(0, 10));
});

// SQLite gives the number of a deleted last row to the next one.
test('what takes the place of a result that was forgotten is seen', () => {
  using desk = new Desk();
  desk.waitFor(ids);
  desk.look();
  desk.store(['task-0']);
  assert.deepEqual(desk.look(), ['task-0']);
  desk.forget(['task-0']);
  desk.store(['task-1']);
  assert.deepEqual(desk.look(), ['task-1']);
  desk.forget(['task-1']);
  assert.deepEqual(desk.look(), []);
  desk.store(['task-2', 'task-3']);
  assert.deepEqual(desk.look(), ['task-2', 'task-3']);
});

class Desk implements Disposable {
  readonly #directory = new Directory();
  readonly #db = new Database(this.#directory.database, this.#directory.path);
  readonly #results = new Results(this.#db);
  readonly #waits = new Waits(this.#results, () => {});

  waitFor(tasks: readonly string[]): void {
    for (const [call, id] of tasks.entries()) this.#waits.add(call, id);
  }

  /** The ids of those who are answered. */
  look(): string[] {
    const order = (id: string) => Number(id.slice('task-'.length));
    const told = this.#waits.settleNew(now).map(([, row]) => (row as readonly string[])[0]!);
    return told.toSorted((a, b) => order(a) - order(b));
  }

  store(tasks: readonly string[], state = 'SUCCESS'): void {
    const columns = {
      ids: [...tasks],
      states: tasks.map(() => state),
      documents: tasks.map(() => '{}'),
      lifetimes: tasks.map(() => 60),
    };
    this.#db.write('normal', () => this.#results.store(columns, now));
  }

  forget(tasks: readonly string[]): void {
    this.#db.write('normal', () => this.#results.forget(tasks));
  }

  [Symbol.dispose](): void {
    this.#waits.close();
    this.#db.close();
    this.#directory[Symbol.dispose]();
  }
}
