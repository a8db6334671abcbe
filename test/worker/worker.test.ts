import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, InvalidArgumentError, InvalidStateError, TimeoutError } from '../../src/base/errors.ts';
import { uuid } from '../../src/base/ids.ts';
import type { Simul } from '../../src/tasks/app.ts';
import type { TaskContext } from '../../src/tasks/context.ts';
import { Mailbox } from '../../src/tasks/control/mailbox.ts';
import { Ignore, MaxRetriesExceededError, Reject, TaskRevokedError } from '../../src/tasks/errors.ts';
import { withFleet } from './fleet.ts';

const wait = { timeout: 10 };

describe('a worker', () => {
  it('runs tasks and returns their results', () =>
    withFleet(async ({ app, start }) => {
      const add = app.task('add', (x: number, y: number) => x + y);
      const late = app.task('late', async (text: string) => `${text}!`);
      await start();
      assert.equal(await (await add.delay(2, 3)).get(wait), 5);
      assert.equal(await (await late.delay('a')).get(wait), 'a!');
      assert.equal(add(2, 3), 5);
      assert.equal(add.name, 'add');
    }));

  it('runs many, each exactly once', () =>
    withFleet(async ({ app, start }) => {
      const runs = new Map<number, number>();
      const count = app.task('count', (n: number) => runs.set(n, (runs.get(n) ?? 0) + 1).size);
      await start({ concurrency: 7 });
      const results = await count.applyMany(Array.from({ length: 2000 }, (_, n) => [n]));
      await Promise.all(results.map((result) => result.get(wait)));
      assert.equal(runs.size, 2000);
      assert.ok([...runs.values()].every((times) => times === 1));
    }));

  it('never runs more at a time than its concurrency', () =>
    withFleet(async ({ app, start }) => {
      let [now, most] = [0, 0];
      const task = app.task('t', async () => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
      });
      await start({ concurrency: 3 });
      const results = await task.applyMany(Array.from({ length: 50 }, () => []));
      await Promise.all(results.map((result) => result.get(wait)));
      assert.equal(most, 3);
    }));

  it('binds keyword arguments by name and passes the context', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', { bind: true }, (ctx, a: number, b: number) => [a, b, ctx.id, ctx.headers['tenant']]);
      await start();
      const result = await task.applyAsync([1], { kwargs: { b: 2 }, taskId: 'my-id', headers: { tenant: 'x' } });
      assert.deepEqual(await result.get(wait), [1, 2, 'my-id', 'x']);
    }));

  it('gives the context everything the message says', () =>
    withFleet(async ({ app, start }) => {
      let seen: TaskContext | undefined;
      const task = app.task('t', { bind: true, timeLimit: 30 }, (ctx) => void (seen = ctx));
      await start({ hostname: 'w1@lab' });
      await (await task.applyAsync([], { priority: 7, softTimeLimit: 25 })).get(wait);
      assert.equal(seen?.hostname, 'w1@lab');
      assert.equal(seen.retries, 0);
      assert.equal(seen.rootId, seen.id);
      assert.deepEqual([seen.timeLimit, seen.softTimeLimit], [30, 25]);
      assert.deepEqual(seen.deliveryInfo, { exchange: '', routingKey: 'celery', priority: 7, redelivered: false });
      assert.match(seen.origin ?? '', /^gen\d+@/);
    }));

  it('knows the tasks that a task sends as its children', () =>
    withFleet(async ({ app, start }) => {
      const child = app.task('child', { bind: true }, (ctx) => [ctx.parentId, ctx.rootId]);
      const parent = app.task('parent', { bind: true }, async (ctx) => [ctx.id, (await child.delay()).id]);
      await start();
      const result = await parent.delay();
      const [id, childId] = await result.get(wait);
      assert.deepEqual(await app.AsyncResult(childId!).get(wait), [id, id]);
      assert.deepEqual((await result.children()).map((one) => one.id), [childId]); // prettier-ignore
    }));

  it('refuses to wait for a result inside a task', () =>
    withFleet(async ({ app, start }) => {
      const one = app.task('one', () => 1);
      const waits = app.task('waits', async () => (await one.delay()).get(wait));
      const allowed = app.task('allowed', async () => (await one.delay()).get({ ...wait, allowInTask: true }));
      await start();
      await assert.rejects((await waits.delay()).get(wait), InvalidStateError);
      assert.equal(await (await allowed.delay()).get(wait), 1);
    }));

  it('runs the most urgent first, 9 before 0', () =>
    withFleet(async ({ app, start }) => {
      const order: number[] = [];
      const task = app.task('t', (n: number) => void order.push(n));
      const results = [];
      for (const priority of [0, 9, 5, 9]) results.push(await task.applyAsync([priority], { priority }));
      await start({ pool: 'solo' });
      await Promise.all(results.map((result) => result.get(wait)));
      assert.deepEqual(order, [9, 9, 5, 0]);
    }));

  it('consumes the queues it is told to', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', { bind: true, queue: 'slow' }, (ctx) => ctx.deliveryInfo.routingKey);
      await start({ queues: ['slow', 'fast'] });
      assert.equal(await (await task.delay()).get(wait), 'slow');
      assert.equal(await (await task.applyAsync([], { queue: 'fast' })).get(wait), 'fast');
    }));

  it('does not run a task before its time, nor after it', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', () => Date.now());
      await start();
      const sent = Date.now();
      const [late, expired] = [
        await task.applyAsync([], { countdown: 0.3 }),
        await task.applyAsync([], { expires: -1 }),
      ];
      assert.ok((await late.get(wait)) >= sent + 300);
      await assert.rejects(
        expired.get(wait),
        (error) => error instanceof TaskRevokedError && error.message === 'expired',
      );
      assert.equal(await expired.status(), 'REVOKED');
    }));

  it('stores no result when asked to ignore it', () =>
    withFleet(async ({ app, start }) => {
      const done = deferred();
      const task = app.task('t', { ignoreResult: true }, () => done.resolve());
      const worker = await start();
      const result = await task.delay();
      await done.promise;
      await worker.stop();
      assert.equal(await result.status(), 'PENDING');
    }));

  it('stores the result of a call that wants it, though its task does not', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', { ignoreResult: true }, () => 7);
      await start();
      assert.equal(await (await task.applyAsync([], { ignoreResult: false })).get(wait), 7);
    }));

  it('stores STARTED, states of the task’s own and progress', () =>
    withFleet(async ({ app, start }) => {
      const [started, go, told, end] = [deferred(), deferred(), deferred(), deferred()];
      const task = app.task('t', { bind: true, trackStarted: true }, async (ctx) => {
        started.resolve();
        await go.promise;
        await ctx.progress(0.5, 'half');
        told.resolve();
        await end.promise;
      });
      await start();
      const result = await task.delay();
      await started.promise;
      assert.equal(await result.status(), 'STARTED');
      go.resolve();
      await told.promise;
      assert.equal(await result.status(), 'PROGRESS');
      assert.deepEqual(await result.result(), { fraction: 0.5, note: 'half' });
      end.resolve();
      await result.get(wait);
      assert.ok(await result.successful());
    }));
});

describe('a task that fails', () => {
  it('throws its error where the result is awaited', () =>
    withFleet(async ({ app, start, log }) => {
      const task = app.task('t', () => {
        throw new RangeError('too far');
      });
      await start();
      const result = await task.delay();
      await assert.rejects(result.get(wait), (error) => error instanceof RangeError && error.message === 'too far');
      assert.ok(await result.failed());
      assert.match((await result.traceback()) ?? '', /RangeError: too far\n\s+at /);
      const returned: unknown = await result.get({ ...wait, propagate: false });
      assert.ok(returned instanceof RangeError);
      assert.ok(log.some((line) => line.includes(result.id) && line.includes('too far')));
    }));

  it('fails too when its result cannot be written, and names the place', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', () => ({ list: [1, Symbol('x')] }));
      await start();
      await assert.rejects((await task.delay()).get(wait), /result\.list\[1\]/);
    }));

  it('is retried on request, with the same id and one retry more each time', () =>
    withFleet(async ({ app, start }) => {
      const seen: [string, number, string | undefined][] = [];
      const task = app.task('t', { bind: true }, (ctx, n: number) => {
        seen.push([ctx.id, ctx.retries, ctx.parentId]);
        if (ctx.retries < 2) ctx.retry({ countdown: 0 });
        return n;
      });
      await start();
      const result = await task.delay(7);
      assert.equal(await result.get(wait), 7);
      assert.deepEqual(seen, [[result.id, 0, undefined], [result.id, 1, result.id], [result.id, 2, result.id]]); // prettier-ignore
    }));

  it('is retried by itself for the errors it names, until its retries are used up', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      const options = { autoretryFor: [Error], dontAutoretryFor: [TypeError], maxRetries: 3, defaultRetryDelay: 0 };
      const task = app.task('t', options, (fatal: boolean) => {
        runs++;
        throw fatal ? new TypeError('fatal') : new RangeError(`run ${runs}`);
      });
      await start();
      await assert.rejects((await task.delay(false)).get(wait), /run 4/);
      assert.equal(runs, 4);
      await assert.rejects((await task.delay(true)).get(wait), /fatal/);
      assert.equal(runs, 5);
    }));

  it('ends with MaxRetriesExceededError where a retry names no error', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', { bind: true, maxRetries: 0 }, (ctx) => ctx.retry());
      await start();
      await assert.rejects((await task.delay()).get(wait), MaxRetriesExceededError);
    }));

  it('stores nothing for Ignore, nor for Reject, which may put the message back behind the others', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      const rejectedOften = deferred();
      const ignored = app.task('ignored', () => {
        throw new Ignore();
      });
      const rejected = app.task('rejected', () => {
        if (++runs < 3) throw new Reject('not now', { requeue: true });
        rejectedOften.resolve();
        throw new Reject('never');
      });
      const last = app.task('last', () => runs);
      const results = [await ignored.delay(), await rejected.delay()];
      const other = await last.delay();
      const worker = await start({ pool: 'solo' });
      assert.equal(await other.get(wait), 1);
      await rejectedOften.promise;
      await worker.stop();
      for (const result of results) assert.equal(await result.status(), 'PENDING');
      assert.equal(runs, 3);
    }));
});

describe('a result', () => {
  it('times out, and can be given up, without ending the task', () =>
    withFleet(async ({ app }) => {
      const result = await app.sendTask('nobody');
      await assert.rejects(
        result.get({ timeout: 0.01 }),
        (error) => error instanceof TimeoutError && error.timeout === 0.01,
      );
      const abort = new AbortController();
      const waiting = result.get({ signal: abort.signal });
      abort.abort(new Error('enough'));
      await assert.rejects(waiting, CancelledError);
      await assert.rejects(result.get({ timeout: Number.NaN }), InvalidArgumentError);
      assert.equal(await result.status(), 'PENDING');
      assert.equal(await result.ready(), false);
      assert.equal(await result.result(), undefined);
    }));

  it('can be forgotten', () =>
    withFleet(async ({ app, start }) => {
      const task = app.task('t', () => 1);
      await start();
      const result = await task.delay();
      await result.get(wait);
      await result.forget();
      assert.equal(await result.status(), 'PENDING');
    }));

  it('revoked before it starts never runs', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      const task = app.task('t', () => ++runs);
      const result = await task.delay();
      await result.revoke();
      const worker = await start({ pool: 'solo' });
      await (await app.task('other', () => 1).delay()).get(wait);
      await worker.stop();
      assert.equal(runs, 0);
      await assert.rejects(result.get(wait), TaskRevokedError);
    }));

  for (const how of ['by its result', 'over remote control']) {
    it(`revoked ${how} never runs, however long after; the mark expires once its message is gone`, () =>
      withFleet(
        async ({ app, start }) => {
          let runs = 0;
          const task = app.task('t', () => ++runs);
          const marker = app.task('marker', () => 1);
          const result = await task.applyAsync([], { queue: 'later' });
          if (how === 'by its result') await result.revoke();
          else {
            const other = await start();
            const only = { destination: [other.settings.hostname], timeout: 10 };
            await new Mailbox(await app.broker()).call('revoke', { task_id: result.id }, only);
            await other.stop();
          }
          await forgotten(app, uuid());
          const worker = await start({ queues: ['later'] });
          await (await marker.applyAsync([], { queue: 'later' })).get(wait);
          await worker.stop();
          assert.equal(runs, 0);
          while ((await result.status()) !== 'PENDING') await new Promise(setImmediate);
        },
        { resultExpires: 0.3 },
      ));
  }

  it('revoked with terminate while it runs: the mark expires when the run has ended', () =>
    withFleet(
      async ({ app, start }) => {
        const begun = deferred();
        const task = app.task('t', { bind: true }, async (ctx) => {
          begun.resolve();
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
          throw new Error('stopped half-way');
        });
        await start();
        const result = await task.delay();
        await begun.promise;
        await result.revoke({ terminate: true });
        while ((await result.status()) !== 'PENDING') await new Promise(setImmediate);
      },
      { resultExpires: 0.3 },
    ));

  it('revoked with terminate tells a run to stop, and stays REVOKED', () =>
    withFleet(async ({ app, start }) => {
      const [begun, ended] = [deferred(), deferred<unknown>()];
      const task = app.task('t', { bind: true }, async (ctx) => {
        begun.resolve();
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
        ended.resolve(ctx.signal.reason);
        throw new Error('stopped half-way');
      });
      await start();
      const result = await task.delay();
      await begun.promise;
      await result.revoke({ terminate: true });
      assert.ok((await ended.promise) instanceof TaskRevokedError);
      await (await app.task('other', () => 1).delay()).get(wait);
      assert.equal(await result.status(), 'REVOKED');
    }));
});

describe('bad calls', () => {
  it('fail at once, with one line that names the option', () =>
    withFleet(async ({ app }) => {
      const task = app.task('t', (x: unknown) => x);
      const bad: [() => Promise<unknown>, RegExp][] = [
        [() => task.delay(() => 1), /args\[0\]: a function/],
        [() => task.delay(nested(120)), /nested deeper than 99 levels/],
        [() => task.delay(JSON.parse('{"__proto__": 1}')), /args\[0\]\.__proto__/],
        [() => task.delay('x'.repeat(50 * 2 ** 20)), /args: \d+ bytes in one message/],
        [() => task.applyAsync([1], { priority: 10 }), /priority: expected an integer from 0 to 9, received 10/],
        [() => task.applyAsync([1], { countdown: -1 }), /countdown/],
        [() => task.applyAsync([1], { eta: new Date(Number.NaN) }), /eta/],
        [() => task.applyAsync([1], { eta: new Date(), countdown: 1 }), /not both/],
        [() => task.applyAsync([1], { queue: '' }), /queue/],
        [() => app.sendTask(''), /name/],
        [() => app.sendTask('t', 'abc' as never), /args: expected an array/],
      ];
      for (const [call, message] of bad) await assert.rejects(call(), message);
      assert.throws(() => app.task('t', () => 1), /name that no other task/);
      assert.throws(() => app.task('u', { maxRetries: -1 }, () => 1), /maxRetries/);
      assert.throws(() => app.AsyncResult(''), /id/);
      assert.deepEqual((await (await app.broker()).sizes()).filter((size) => size.waiting > 0), []); // prettier-ignore
    }));
});

function nested(depth: number): unknown {
  return depth === 0 ? [] : [nested(depth - 1)];
}

/** Resolves when a result stored just now has expired. */
async function forgotten(app: Simul, id: string): Promise<void> {
  const backend = await app.backend();
  await backend.store([{ id, state: 'SUCCESS', document: '{"status": "SUCCESS"}' }]);
  while ((await backend.fetch([id]))[0] !== undefined) await new Promise(setImmediate);
}
