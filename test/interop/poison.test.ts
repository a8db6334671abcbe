import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pause } from '../../src/base/pause.ts';
import { RedisConnection } from '../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../src/tasks/redis/location.ts';
import { sharedFleet, wait } from './fleet.ts';
import { claimPoison, controlPoison, eventPoison, harmless, queuePoison } from './poison-table.ts';

describe('a Simul worker on Redis survives', () => {
  const shared = sharedFleet(async (fleet) => {
    const worker = await fleet.simulWorker({ name: 'simul@test', queues: ['simul'], visibilityTimeout: 1 });
    return { fleet, worker };
  });

  async function send(command: string, key: string, ...texts: string[]): Promise<void> {
    const redis = new RedisConnection(locateRedis(shared().fleet.url));
    try {
      await redis.call(command, [key, ...texts]);
    } finally {
      await redis.close();
    }
  }

  async function stillWorks(): Promise<void> {
    const { fleet, worker } = shared();
    const result = await fleet.client.sendTask('interop.add', [1, 1], { queue: 'simul' });
    assert.equal(await result.get(wait), 2);
    assert.equal(worker.process.exitCode, null);
  }

  it('every row of the table: sets it aside with a reason, and says FAILURE where an id can be read', async () => {
    const { client } = shared().fleet;
    for (const { text } of queuePoison) await send('LPUSH', 'simul', text);
    await stillWorks();
    // A claim goes a moment after the result that one waited for; one that stays is the end of this test by its deadline.
    const broker = await client.broker();
    const left = async () =>
      (await broker.sizes(['simul'])).reduce((sum, size) => sum + size.waiting + size.claimed, 0);
    while ((await left()) > 0) await pause(0.02);
    const aside = await broker.quarantined(1000);
    for (const { row, text, id, cured } of queuePoison) {
      if (cured === true) {
        assert.notEqual(await client.AsyncResult(id!).get(wait), undefined, row);
        continue;
      }
      const entry = aside.find((one) => one.text === text);
      assert.ok(entry !== undefined, `${row} was not set aside: ${text}`);
      assert.ok(entry.reason.length > 5, row);
      assert.equal(entry.id, id, row);
      if (id !== undefined) assert.equal(await client.AsyncResult(id).status(), 'FAILURE', row);
    }
    assert.equal(aside.length, queuePoison.filter(({ cured }) => cured !== true).length);
  });

  it('what Python takes it takes too', async () => {
    for (const { text } of harmless) await send('LPUSH', 'simul', text);
    for (const { id } of harmless) assert.equal(await shared().fleet.client.AsyncResult(id!).get(wait), 5);
  });

  it('malformed commands and events, and hears the next command', async () => {
    const { fleet } = shared();
    for (const { text } of controlPoison) await send('PUBLISH', '/0.celery.pidbox', text);
    for (const { text } of eventPoison) await send('PUBLISH', '/0.celeryev/worker.heartbeat', text);
    const { code, output } = await fleet.simul('inspect', 'ping', '-d', 'simul@test', '-t', '10');
    assert.equal(code, 0, output);
    await stillWorks();
  });

  it('claims of other workers that are broken', async () => {
    for (const [i, { text }] of claimPoison.entries()) {
      await send('HSET', 'unacked', `broken${i}`, text);
      await send('ZADD', 'unacked_index', '1', `broken${i}`);
    }
    await stillWorks();
  });
});
