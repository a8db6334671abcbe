import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { UnsupportedError } from '../../src/base/errors.ts';
import { uuid } from '../../src/base/ids.ts';
import { WorkerLostError } from '../../src/tasks/errors.ts';
import { encodeMessage } from '../../src/tasks/message.ts';
import type { Job, Outcome } from '../../src/worker/job.ts';
import { openLog } from '../../src/worker/log.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { workerSettings } from '../../src/worker/options.ts';
import { makePool } from '../../src/worker/pools.ts';
import { Worker } from '../../src/worker/worker.ts';
import { app, boom, deaf, die, square, succeedOnceTold, threaded, waitToBeTold, where } from './pool-app.ts';

const wait = { timeout: 20 };
const module = new URL('./pool-app.js', import.meta.url);

after(() => app.close());

for (const pool of ['async', 'solo', 'threads', 'processes', 'prefork'] as const) {
  const here = pool === 'async' || pool === 'solo';
  describe(`the pool ${pool}`, () => {
    it('runs tasks where it says, as many at a time as it has workers', () =>
      withWorker({ pool, concurrency: 2 }, async () => {
        const place = await (await where.delay()).get(wait);
        if (here || pool === 'threads') assert.deepEqual([place.main, place.pid], [here, process.pid]);
        else assert.notEqual(place.pid, process.pid);
        const results = await square.applyMany(Array.from({ length: 200 }, (_, n) => [n]));
        const squares = await Promise.all(results.map((result) => result.get(wait)));
        assert.deepEqual(squares, Array.from({ length: 200 }, (_, n) => n * n)); // prettier-ignore
      }));

    it('brings errors back as errors', () =>
      withWorker({ pool, concurrency: 1 }, async () => {
        const result = await boom.delay();
        await assert.rejects(result.get(wait), RangeError);
        assert.match((await result.traceback()) ?? '', /pool-app\.[jt]s/);
      }));

    it('lets a task that is told to stop see it, before its worker is ended', () =>
      withWorker({ pool, concurrency: 1 }, async () => {
        const file = join(tmpdir(), `told-${pool}`);
        const result = await waitToBeTold.delay(file);
        while (!existsSync(file)) await new Promise(setImmediate);
        await result.revoke({ terminate: true });
        assert.equal(await (await square.delay(3)).get(wait), 9);
        assert.equal(readFileSync(file, 'utf8'), 'told');
        rmSync(file);
      }));

    it('lets a task that was told to stop end as it likes', () =>
      withWorker({ pool, concurrency: 1 }, async () => {
        const file = join(tmpdir(), `ends-${pool}`);
        const result = await succeedOnceTold.delay(file);
        while (!existsSync(file)) await new Promise(setImmediate);
        await result.revoke({ terminate: true });
        assert.equal(await (await square.delay(3)).get(wait), 9);
        assert.deepEqual([await result.status(), await result.get(wait)], ['SUCCESS', 'all the same']);
        rmSync(file);
      }));

    if (here) return;
    it('outlives a task that takes its worker down, and sets the message aside after a few times', () =>
      withWorker({ pool, concurrency: 1, maxDeliveries: 2 }, async () => {
        const result = await die.delay();
        const fine = await square.delay(3);
        await assert.rejects(result.get(wait), WorkerLostError);
        assert.equal(await fine.get(wait), 9);
        const [aside] = await (await app.broker()).quarantined();
        assert.equal(aside?.id, result.id);
      }));
  });
}

describe('a thread that cannot be ended', () => {
  it('is told of, its task goes back as tried, and the pool goes on without it', async () => {
    const [ended, stuck] = [deferred<Outcome>(), deferred<string>()];
    const services = { storeState: async () => {}, stuck: (thread: string) => stuck.resolve(thread) };
    const settings = workerSettings(app, { pool: 'threads', concurrency: 1, module });
    const log = await openLog({ level: 'critical', write: logWrite });
    const pool = await makePool('threads', { app, settings, services, log });
    await pool.start();
    const file = join(tmpdir(), 'blocked-natively');
    const run = pool.run(jobFor('blockNatively', [file]), { ended: (outcome) => ended.resolve(outcome) });
    while (!existsSync(file)) await new Promise(setImmediate);
    run.tell(new Error('enough'));
    assert.match(await stuck.promise, /^thread \d+$/);
    assert.deepEqual(await ended.promise, { kind: 'lost', reason: 'it was told to stop' });
    const next = deferred<Outcome>();
    pool.run(jobFor('square', [3]), { ended: (outcome) => next.resolve(outcome) });
    assert.equal((await next.promise).kind, 'success');
    await pool.stop();
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
    rmSync(file);
  });
});

describe('a task of the event loop that does not stop when it is told to', () => {
  it('is told of by the log, and keeps its slot', async () => {
    const lines: string[] = [];
    const said = deferred();
    const write = (line: string) => (lines.push(line), line.includes('goes on') && said.resolve());
    await withWorker({ pool: 'solo', logWrite: write }, async () => {
      const [begun, go] = ['deaf-begun', 'deaf-go'].map((name) => join(tmpdir(), name)) as [string, string];
      const result = await deaf.delay(begun, go);
      while (!existsSync(begun)) await new Promise(setImmediate);
      await result.revoke({ terminate: true });
      const next = await square.delay(3);
      await said.promise;
      assert.equal(await next.status(), 'PENDING');
      writeFileSync(go, '');
      assert.equal(await next.get(wait), 9);
      for (const file of [begun, go]) rmSync(file);
    });
    assert.match(lines.join(''), /the event loop has a task that was told to stop and goes on/);
  });
});

describe('a task that names its pool', () => {
  it('runs there, beside the worker’s own', () =>
    withWorker({ pool: 'async' }, async () => {
      assert.equal(await (await threaded.delay()).get(wait), false);
      assert.equal((await (await where.delay()).get(wait)).main, true);
    }));
});

describe('a pool that needs the app’s module', () => {
  it('refuses to start without it, or with one that exports no app', async () => {
    await assert.rejects(new Worker(app, { pool: 'threads' }).start(), UnsupportedError);
    const worker = new Worker(app, {
      pool: 'threads',
      module: import.meta.url.replace('pools.test', 'fleet'),
      logWrite,
    });
    await assert.rejects(worker.start(), /exports no app/);
  });
});

function jobFor(task: string, args: unknown[]): Job {
  const envelope = encodeMessage({ id: uuid(), task, args, kwargs: {}, queue: 'celery' });
  return { envelope, hostname: 'test', redelivered: false, priority: undefined };
}

async function withWorker(options: WorkerOptions, body: () => Promise<void>): Promise<void> {
  const worker = new Worker(app, { module, logWrite, ...options });
  try {
    await worker.start();
    await body();
  } finally {
    await worker.kill();
  }
}

function logWrite(): void {}
