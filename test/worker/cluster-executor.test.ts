import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, ClosedError, InvalidArgumentError } from '../../src/base/errors.ts';
import type { Executor } from '../../src/futures/executor.ts';
import { ClusterExecutor } from '../../src/tasks/cluster-executor.ts';
import type { TaskContext } from '../../src/tasks/context.ts';
import { withFleet } from './fleet.ts';

describe('a cluster executor', () => {
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
      await assert.rejects(cluster.submit(5 as never), InvalidArgumentError);
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
