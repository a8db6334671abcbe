import assert from 'node:assert/strict';
import { CancelledError, ClosedError } from '../base/errors.ts';
import type { Delivery } from '../tasks/broker.ts';
import type { BrokerLab } from './broker-lab.ts';
import { idOf, limited, message, names, options, pair, receive, receiveIds } from './broker-lab.ts';
import type { Behaviour } from './conformance.ts';

/** What holds of claims: their settling, their giving back, and the ends of waiting. */
export const consumerBehaviours: readonly Behaviour<BrokerLab>[] = [
  {
    name: 'an acknowledgement counts once',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish([message('a'), message('b')]);
      const [a, b] = await receive(consumer, 2);
      assert.deepEqual(await consumer.acknowledge([a!]), [true]);
      assert.deepEqual(await consumer.acknowledge([a!, b!, b!]), [false, true, false]);
      assert.deepEqual(await consumer.acknowledge([]), []);
    },
  },
  {
    name: 'an acknowledgement by another consumer is refused',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const other = await broker.consume({ ...options, hostname: 'other' });
      await broker.publish([message('a')]);
      const [a] = await receive(consumer, 1);
      assert.deepEqual(await other.acknowledge([a!]), [false]);
      assert.deepEqual(await consumer.acknowledge([a!]), [true]);
    },
  },
  {
    name: 'what is released goes to the front, uncounted, under a new tag',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish(names(4).map((id) => message(id)));
      const [a, b] = await receive(consumer, 2);
      await consumer.release([a!, b!]);
      const again = await receive(consumer, 4);
      assert.deepEqual(again.map(idOf), names(4));
      assert.deepEqual(
        again.map(({ redelivered, deliveries }) => [redelivered, deliveries]),
        [
          [true, 1],
          [true, 1],
          [false, 1],
          [false, 1],
        ],
      );
      assert.notEqual(again[0]!.tag, a!.tag);
      assert.deepEqual(await consumer.acknowledge([a!, ...again]), [false, true, true, true, true]);
    },
  },
  {
    name: 'what is released as the last goes to the back, in its order, and is otherwise what it was',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish(names(4).map((id) => message(id)));
      const [a, b] = await receive(consumer, 2);
      await consumer.release([a!, b!], { last: true });
      await broker.publish([message('later')]);
      const again = await receive(consumer, 5);
      assert.deepEqual(again.map(idOf), ['m0002', 'm0003', 'm0000', 'm0001', 'later']);
      const back = again.slice(2, 4);
      assert.deepEqual(
        back.map(({ redelivered, deliveries }) => [redelivered, deliveries]),
        [
          [true, 1],
          [true, 1],
        ],
      );
      assert.deepEqual(await consumer.acknowledge([a!, ...again]), [false, true, true, true, true, true]);
      assert.equal((await broker.sizes(['q']))[0]!.waiting, 0);
    },
  },
  {
    name: 'a release after an attempt counts as a delivery',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish([message('a')]);
      for (const expected of [1, 2, 3]) {
        const [a] = await receive(consumer, 1);
        assert.equal(a!.deliveries, expected);
        await consumer.release([a!], { attempted: true });
      }
    },
  },
  {
    name: 'of a consumer that is lost, claims count from their receipt, or from their beginning if so agreed',
    skip: (lab) => (lab.lossless === true ? 'no claim can be lost' : undefined),
    async run(lab) {
      for (const countFrom of ['receive', 'begin'] as const) {
        const { broker, consumer } = await pair(lab, { stallTimeout: 0.3, countFrom });
        await broker.publish(names(4).map((id) => message(id)));
        const claimed = [...(await receive(consumer, 2)), ...(await receive(consumer, 2))];
        await Promise.all([consumer.begin([claimed[0]!]), consumer.begin([claimed[2]!, claimed[0]!])]);
        await consumer.begin([]);
        // Its thread blocked, as it is by a computation without end.
        while ((await broker.sizes(['q']))[0]!.claimed > 0) block(1.5);
        const other = await (await lab.open()).consume({ ...options, hostname: 'other' });
        const back: Delivery[] = [];
        while (back.length < 4) back.push(...(await receive(other, 4)));
        assert.deepEqual(
          back.map((one) => [idOf(one), one.redelivered, one.deliveries]),
          names(4).map((id, i) => [id, true, countFrom === 'receive' || i % 2 === 0 ? 2 : 1]),
        );
        await consumer.begin(claimed);
        assert.deepEqual(await other.acknowledge(back), [true, true, true, true]);
        await consumer.close();
      }
    },
  },
  {
    name: 'what is begun is settled like everything else, and counts no more than that',
    async run(lab) {
      const { broker, consumer } = await pair(lab, { countFrom: 'begin' });
      const other = await broker.consume({ ...options, hostname: 'other' });
      await broker.publish(names(3).map((id) => message(id)));
      const claimed = await receive(consumer, 3);
      await consumer.begin(claimed);
      assert.deepEqual(await consumer.acknowledge([claimed[0]!]), [true]);
      await consumer.release([claimed[1]!]);
      const [released] = await receive(consumer, 1);
      assert.equal(released!.deliveries, 1);
      await consumer.begin([released!, claimed[0]!]);
      await consumer.close();
      const back = [...(await receive(other, 1)), ...(await receive(other, 1))];
      assert.deepEqual(new Set(back.map((one) => `${idOf(one)} ${one.deliveries}`)), new Set(['m0001 1', 'm0002 1']));
      await assert.rejects(consumer.begin(claimed), ClosedError);
    },
  },
  {
    name: 'what is released with a time comes back then',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish([message('a'), message('b')]);
      const [a] = await receive(consumer, 1);
      const due = Date.now() / 1000 + 0.15;
      await consumer.release([a!], { due });
      assert.deepEqual(await receiveIds(consumer, 2, 1), ['b', 'a']);
      assert.ok(Date.now() / 1000 >= due - 0.002, 'not before it is due');
    },
  },
  {
    name: 'a release of a lost claim does nothing',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish([message('a')]);
      const [a] = await receive(consumer, 1);
      await consumer.acknowledge([a!]);
      await consumer.release([a!]);
      assert.equal((await broker.sizes(['q']))[0]!.waiting, 0);
    },
  },
  {
    name: 'close gives back what is unsettled, to those who wait too',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const other = await (await lab.open()).consume({ ...options, hostname: 'other' });
      await broker.publish(names(3).map((id) => message(id)));
      const [a] = await receive(consumer, 3);
      await consumer.acknowledge([a!]);
      const waiting = receiveIds(other, 2, 10);
      await consumer.close();
      await consumer.close();
      assert.deepEqual(await waiting, names(3).slice(1));
    },
  },
  {
    name: 'receive is cancelled by its signal',
    async run(lab) {
      const { consumer } = await pair(lab);
      await assert.rejects(limited(consumer.receive(1, AbortSignal.abort())), CancelledError);
      const abort = new AbortController();
      const waiting = consumer.receive(1, abort.signal);
      abort.abort();
      await assert.rejects(limited(waiting), CancelledError);
    },
  },
  {
    name: 'a receive aborted at the moment of delivery has claimed nothing',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      let held = 0;
      for (let i = 0; i < 100; i++) {
        const abort = new AbortController();
        const waiting = consumer.receive(1, abort.signal);
        const published = broker.publish([message(`m${i}`)]);
        // Before, with and after the publication in turn.
        for (let turn = 0; turn < i % 7; turn++) await new Promise(setImmediate);
        abort.abort();
        const got = await limited(waiting).catch((error: unknown) => {
          assert.ok(error instanceof CancelledError, String(error));
          return [];
        });
        await published;
        held += got.length;
        const [size] = await broker.sizes(['q']);
        assert.deepEqual([size!.claimed, size!.waiting + size!.claimed], [held, i + 1]);
      }
    },
  },
  {
    name: 'close ends a waiting receive with ClosedError',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const other = await broker.consume(options);
      const first = assert.rejects(limited(consumer.receive(1)), ClosedError);
      const second = assert.rejects(limited(other.receive(1)), ClosedError);
      await consumer.close();
      await first;
      await broker.close();
      await second;
    },
  },
  {
    name: 'everything refuses after close',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await consumer.close();
      await assert.rejects(consumer.receive(1), ClosedError);
      await assert.rejects(consumer.acknowledge([]), ClosedError);
      await broker.close();
      await broker.close();
      await assert.rejects(broker.publish([message('a')]), ClosedError);
      await assert.rejects(broker.consume(options), ClosedError);
      await assert.rejects(broker.sizes(), ClosedError);
      await assert.rejects(broker.purge('q'), ClosedError);
      await assert.rejects(broker.quarantined(), ClosedError);
    },
  },
];

function block(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}
