import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, ClosedError, InvalidArgumentError, TimeoutError } from '../../src/base/errors.ts';
import type { Executor } from '../../src/futures/executor.ts';
import { ClusterExecutor } from '../../src/tasks/cluster-executor.ts';
import type { TaskContext } from '../../src/tasks/context.ts';
import type { SimulOptions } from '../../src/tasks/app.ts';
import { withFleet } from './fleet.ts';

describe('a cluster executor', () => {
  for (const kind of ['memory', 'sqlite'] as const) {
    it(`waits for results for a time, and submits a map at once (${kind})`, () =>
      onBroker(kind, async (options) => {
        await withFleet(async ({ app, start }) => {
          const gate = deferred();
          const double = app.task('double', async (n: number) => {
            await gate.promise;
            return n * 2;
          });
          const limitOf = app.task('limit-of', { bind: true }, (ctx: TaskContext) => ctx.timeLimit);
          await start();
          await using cluster = new ClusterExecutor(app);
          const future = cluster.submit(double, 4);
          await assert.rejects(future.result({ timeout: 0.02 }), TimeoutError);
          assert.equal(future.done(), false);
          let taken = 0;
          const numbers = (function* () {
            for (; taken < 3; taken++) yield taken;
          })();
          const doubles = cluster.map(double, numbers);
          assert.equal(taken, 3);
          gate.resolve();
          assert.equal(await future, 8);
          const list: number[] = [];
          for await (const item of doubles) list.push(item);
          assert.deepEqual(list, [0, 2, 4]);
          assert.equal(await cluster.submitWith({ timeout: 30 }, limitOf), 30);
        }, options);
      }));

    it(`has revoked what it cancels when shutdown is over (${kind})`, () =>
      onBroker(kind, async (options) => {
        await withFleet(async ({ app, start }) => {
          const ran: number[] = [];
          const note = app.task('note', (n: number) => void ran.push(n));
          const cluster = new ClusterExecutor(app);
          const futures = [1, 2, 3].map((n) => cluster.submit(note, n));
          await cluster.shutdown({ cancelFutures: true });
          assert.ok(futures.every((future) => future.cancelled()));
          if (kind === 'sqlite') await app.close();
          await start();
          await (await note.delay(4)).get({ timeout: 30 });
          assert.deepEqual(ran, [4]);
        }, options);
      }));
  }

  it('refuses options of a map, and a map after shutdown, at the call', async () => {
    await withFleet(async ({ app }) => {
      const add = app.task('add', (x: number, y: number) => x + y);
      const cluster = new ClusterExecutor(app);
      assert.throws(() => cluster.map(add, [1], [2], { buffersize: 0 }), { argument: 'buffersize' });
      assert.throws(() => cluster.map(add, [1], [2], { chunksize: 0 }), { argument: 'chunksize' });
      await cluster.shutdown();
      assert.throws(() => cluster.map(add, [1], [2]), ClosedError);
    });
  });

  it('runs registered tasks on workers, as a pool runs functions', () =>
    withFleet(async ({ app, start }) => {
      const add = app.task('add', (x: number, y: number) => x + y);
      const fail = app.task('fail', () => {
        throw new RangeError('no');
      });
      await start();
      await using cluster: Executor = new ClusterExecutor(app);
      const future = cluster.submit(add, 2, 3);
      assert.equal(future.done(), false);
      assert.equal(await future, 5);
      await assert.rejects(cluster.submit(fail), RangeError);
      const sums: number[] = [];
      for await (const sum of cluster.map(add, [1, 2, 3], [10, 20, 30], { buffersize: 2 })) sums.push(sum);
      assert.deepEqual(sums, [11, 22, 33]);
    }));

  it('refuses what is no task of its app, on the future', () =>
    withFleet(async ({ app }) => {
      const cluster = new ClusterExecutor(app);
      await assert.rejects(
        cluster.submit(() => 1),
        InvalidArgumentError,
      );
      for (const fn of [5, undefined, null]) await assert.rejects(cluster.submit(fn as never), InvalidArgumentError);
      await cluster.shutdown();
      assert.throws(() => cluster.submit(() => 1), ClosedError);
    }));

  it('revokes what is cancelled, and terminates it if it runs', () =>
    withFleet(async ({ app, start }) => {
      const [begun, told] = [deferred(), deferred()];
      const task = app.task('wait', { bind: true }, async (ctx: TaskContext) => {
        begun.resolve();
        await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
        told.resolve();
      });
      await using cluster = new ClusterExecutor(app);
      const before = cluster.submit(task);
      assert.equal(before.cancel(), true);
      await assert.rejects(before, CancelledError);
      await start();
      const running = cluster.submit(task);
      await begun.promise;
      assert.equal(running.cancel({ running: true }), true);
      await assert.rejects(running, CancelledError);
      await told.promise;
      const abort = new AbortController();
      const other = cluster.submitWith({ signal: abort.signal }, task);
      abort.abort();
      await assert.rejects(other, CancelledError);
    }));

  it('waits at shutdown for what it has, or cancels it', () =>
    withFleet(async ({ app, start }) => {
      const add = app.task('add', (x: number, y: number) => x + y);
      const cluster = new ClusterExecutor(app);
      const [kept, dropped] = [new ClusterExecutor(app), cluster.submit(add, 1, 1)];
      await cluster.shutdown({ cancelFutures: true });
      assert.equal(dropped.cancelled(), true);
      const future = kept.submit(add, 1, 2);
      await start();
      await kept.shutdown();
      assert.equal(future.done(), true);
      assert.equal(await future, 3);
    }));
});

async function onBroker(kind: 'memory' | 'sqlite', body: (options: SimulOptions) => Promise<void>): Promise<void> {
  if (kind === 'memory') return body({});
  const folder = mkdtempSync(join(tmpdir(), 'simul-cluster-'));
  try {
    await body({ broker: `sqlite://${folder}/simul.db` });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
