import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { ClosedError } from '../../src/base/errors.ts';
import { Worker } from '../../src/worker/worker.ts';
import { withFleet } from './fleet.ts';

const wait = { timeout: 10 };

describe('a warm stop', () => {
  it('finishes what runs, takes nothing new, and tells why it stopped', () =>
    withFleet(async ({ app, start }) => {
      const [begun, go] = [deferred(), deferred()];
      const slow = app.task('slow', async () => {
        begun.resolve();
        await go.promise;
        return 'done';
      });
      const next = app.task('next', () => 1);
      const worker = await start();
      const result = await slow.delay();
      await begun.promise;
      const stopping = worker.stop({ why: 'test' });
      const untouched = await next.delay();
      go.resolve();
      await stopping;
      assert.equal(await result.get(wait), 'done');
      assert.equal(await untouched.status(), 'PENDING');
      assert.deepEqual(await worker.stopped, { why: 'test' });
      assert.equal((await (await app.broker()).sizes(['celery']))[0]?.waiting, 1);
    }));

  it('gives back what has not ended by its deadline, and tells it to stop', () =>
    withFleet(async ({ app, start }) => {
      const [begun, told] = [deferred(), deferred()];
      const stuck = app.task('stuck', { bind: true }, async (ctx) => {
        begun.resolve();
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('told'))));
      });
      const worker = await start({ drainTimeout: 0 });
      const result = await stuck.delay();
      await begun.promise;
      await worker.stop();
      told.resolve();
      assert.equal(await result.status(), 'PENDING');
      assert.equal((await (await app.broker()).sizes(['celery']))[0]?.waiting, 1);
    }));
});

describe('a cold stop', () => {
  it('interrupts a warm one and gives the messages back', () =>
    withFleet(async ({ app, start }) => {
      let runs = 0;
      const begun = deferred();
      const stuck = app.task('stuck', async () => {
        if (++runs > 1) return 'second try';
        begun.resolve();
        await new Promise(() => {});
        return '';
      });
      const worker = await start();
      const result = await stuck.delay();
      await begun.promise;
      const warm = worker.stop();
      await worker.kill();
      await warm;
      await start();
      assert.equal(await result.get(wait), 'second try');
    }));
});

describe('start and stop', () => {
  it('may be called in any order, any number of times', () =>
    withFleet(async ({ app, start }) => {
      const worker = await start();
      await Promise.all([worker.start(), worker.stop(), worker.stop(), worker.kill(), worker.start()]);
      assert.equal(worker.state, 'stopped');
      const never = new Worker(app);
      await never.stop();
      await assert.rejects(never.start(), ClosedError);
    }));

  it('fail with one line for a broker that is not known, and leave nothing open', () =>
    withFleet(
      async ({ start }) => {
        await assert.rejects(start(), /broker: expected a URL that begins with .*received "carrier:\/\/pigeon"/);
      },
      { broker: 'carrier://pigeon' },
    ));
});
