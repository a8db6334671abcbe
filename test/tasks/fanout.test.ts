import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { ClosedError, DecodeError } from '../../src/base/errors.ts';
import { uuid } from '../../src/base/ids.ts';
import { pause } from '../../src/base/pause.ts';
import type { Broker } from '../../src/tasks/broker.ts';
import { transientEnvelope } from '../../src/tasks/control/transient.ts';
import type { Exchange, Fanout } from '../../src/tasks/fanout.ts';
import { matchesTopic } from '../../src/tasks/fanout.ts';
import { decodeBody } from '../../src/tasks/message.ts';
import { RedisConnection } from '../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../src/tasks/redis/location.ts';
import { openBroker } from '../../src/tasks/registry.ts';
import { startRedis } from '../support/redis.ts';
import type { RunningServer } from '../support/server.ts';

const all: Exchange = { name: 'all', type: 'fanout' };
const topics: Exchange = { name: 'topics', type: 'topic' };
const direct: Exchange = { name: 'direct', type: 'direct' };

/** Listens and collects the bodies. */
async function listen(fanout: Fanout, exchange: Exchange, routingKey = '') {
  const heard: unknown[] = [];
  let more = deferred();
  const subscription = await fanout.subscribe({
    exchange,
    routingKey,
    queue: `queue-${uuid()}`,
    onMessage: (open) => {
      heard.push(decodeBody(open()));
      more.resolve();
      more = deferred();
    },
  });
  const until = async (count: number) => {
    while (heard.length < count) await more.promise;
    return heard;
  };
  return { heard, until, close: () => subscription.close() };
}

function say(fanout: Fanout, exchange: Exchange, what: unknown, key = ''): Promise<void> {
  return fanout.publish(exchange, key, transientEnvelope(what, {}, exchange, key));
}

function conformance(name: string, open: () => Promise<Broker>): void {
  describe(`fan-out of ${name}`, () => {
    const withBroker = async (body: (fanout: Fanout, broker: Broker) => Promise<void>) => {
      await using broker = await open();
      await body(broker.fanout!, broker);
    };

    it('reaches all who listen, in order, and nobody who has stopped', () =>
      withBroker(async (fanout) => {
        const [a, b, c] = [await listen(fanout, all), await listen(fanout, all), await listen(fanout, all)];
        await c.close();
        await c.close();
        for (let n = 0; n < 100; n++) await say(fanout, all, n);
        const numbers = Array.from({ length: 100 }, (_, n) => n);
        assert.deepEqual(await a.until(100), numbers);
        assert.deepEqual(await b.until(100), numbers);
        assert.deepEqual(c.heard, []);
        for (const one of [a, b]) await one.close();
      }));

    it('a topic reaches those whose pattern fits its key', () =>
      withBroker(async (fanout) => {
        const patterns = ['#', 'worker.#', 'worker.*', 'task.sent'];
        const listeners = await Promise.all(patterns.map((pattern) => listen(fanout, topics, pattern)));
        const keys = ['worker.online', 'worker.a.b', 'task.sent', 'task.done'];
        for (const key of keys) await say(fanout, topics, key, key);
        const [everything] = listeners;
        assert.deepEqual(await everything!.until(4), keys);
        assert.deepEqual(await listeners[1]!.until(2), keys.slice(0, 2));
        assert.deepEqual(await listeners[2]!.until(1), keys.slice(0, 1));
        assert.deepEqual(await listeners[3]!.until(1), ['task.sent']);
        for (const one of listeners) await one.close();
      }));

    it('a direct one reaches the queue of just its key', () =>
      withBroker(async (fanout) => {
        const [a, b] = [await listen(fanout, direct, 'a'), await listen(fanout, direct, 'b')];
        await say(fanout, direct, 1, 'a');
        await say(fanout, direct, 2, 'nobody');
        await say(fanout, direct, 3, 'b');
        assert.deepEqual([await a.until(1), await b.until(1)], [[1], [3]]);
        await a.close();
        await say(fanout, direct, 4, 'a');
        await say(fanout, direct, 5, 'b');
        assert.deepEqual(await b.until(2), [3, 5]);
        assert.deepEqual(a.heard, [1]);
        await b.close();
      }));

    it('ends with its broker', async () => {
      const broker = await open();
      const fanout = broker.fanout!;
      await listen(fanout, all);
      await listen(fanout, direct, 'a');
      await broker.close();
      await assert.rejects(say(fanout, all, 1), ClosedError);
      await assert.rejects(listen(fanout, all), ClosedError);
    });
  });
}

conformance('memory://', () => openBroker(`memory://${uuid()}`));

describe('on Redis', () => {
  let server: RunningServer;
  before(async () => (server = await startRedis()));
  after(() => server.stop());
  const url = (rest = '') => `redis://127.0.0.1:${server.port}/0${rest}`;

  const ask = async (command: string, ...args: string[]): Promise<unknown> => {
    const connection = new RedisConnection(locateRedis(url()));
    try {
      return await connection.call(command, args);
    } finally {
      await connection.close();
    }
  };

  conformance('redis://', () => openBroker(url()));

  it('names are those of kombu: database, prefix, key', async () => {
    await using plain = await openBroker(`redis://127.0.0.1:${server.port}/3`);
    await using prefixed = await openBroker(url('?global_keyprefix=pfx:'));
    const listeners = [
      await listen(plain.fanout!, all),
      await listen(plain.fanout!, topics, 'worker.#'),
      await listen(prefixed.fanout!, all),
    ];
    // Channels know no databases; patterns are what PUBSUB does not list by name.
    const envelope = JSON.stringify(transientEnvelope('x', {}, all, ''));
    assert.equal(await ask('PUBLISH', '/3.all', envelope), 1);
    assert.equal(await ask('PUBLISH', '/3.topics/worker.online', envelope), 1);
    assert.equal(await ask('PUBLISH', 'pfx:/0.all', envelope), 1);
    assert.equal(await ask('PUBLISH', '/0.all', envelope), 0);
    for (const one of listeners) assert.deepEqual(await one.until(1), ['x']);
  });

  it('the list of replies and its binding are gone with the subscription', async () => {
    await using broker = await openBroker(url());
    const listener = await listen(broker.fanout!, direct, 'key');
    const [member] = (await ask('SMEMBERS', '_kombu.binding.direct')) as string[];
    const queue = member!.split('\x06\x16')[2]!;
    assert.equal(member, `key\x06\x16\x06\x16${queue}`);
    await listener.close();
    assert.deepEqual(await ask('SMEMBERS', '_kombu.binding.direct'), []);
    assert.equal(await ask('EXISTS', queue), 0);
  });

  it('comes back by itself when its connections are cut', async () => {
    await using broker = await openBroker(url());
    const [a, b] = [await listen(broker.fanout!, all), await listen(broker.fanout!, direct, 'key')];
    await say(broker.fanout!, all, 'before');
    await a.until(1);
    await ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    // What is sent before it is back is missed: it is said until it is heard.
    while (a.heard.length < 2 || b.heard.length < 1) {
      await say(broker.fanout!, all, 'after').catch(() => {});
      await say(broker.fanout!, direct, 'after', 'key').catch(() => {});
      await pause(0.02);
    }
    assert.deepEqual([a.heard[0], a.heard[1], b.heard[0]], ['before', 'after', 'after']);
  });

  it('text that is no message is for the listener to see', async () => {
    await using broker = await openBroker(url());
    const error = deferred<unknown>();
    await broker.fanout!.subscribe({
      exchange: all,
      routingKey: '',
      queue: 'q',
      onMessage: (open) => {
        try {
          open();
        } catch (cause) {
          error.resolve(cause);
        }
      },
    });
    await ask('PUBLISH', '/0.all', 'hello');
    assert.ok((await error.promise) instanceof DecodeError);
  });
});

it('patterns of topics', () => {
  const cases: [string, string, boolean][] = [
    ['#', '', true],
    ['#', 'a.b', true],
    ['a.#', 'a', true],
    ['a.#', 'a.b.c', true],
    ['a.#.c', 'a.c', true],
    ['a.#.c', 'a.b.b.c', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.b', 'a.c', false],
  ];
  for (const [pattern, key, fits] of cases) assert.equal(matchesTopic(pattern, key), fits, `${pattern} ${key}`);
});
