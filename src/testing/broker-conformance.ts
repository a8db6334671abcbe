import assert from 'node:assert/strict';
import { DecodeError, EncodeError, InvalidArgumentError } from '../base/errors.ts';
import type { OutgoingMessage } from '../tasks/broker.ts';
import type { BrokerLab } from './broker-lab.ts';
import { envelope, idOf, limited, message, names, options, pair, receive, receiveIds } from './broker-lab.ts';
import type { Behaviour } from './conformance.ts';
import { consumerBehaviours } from './consumer-conformance.ts';

/** What a broker's queues promise. */
const queueBehaviours: readonly Behaviour<BrokerLab>[] = [
  {
    name: 'an envelope arrives as it was sent',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const sent = envelope('π "quoted" \\ \u0000 \ud83d\ude00');
      await broker.publish([{ queue: 'q', envelope: sent, priority: 3, due: undefined }]);
      const [delivery] = await receive(consumer, 1);
      assert.deepEqual(delivery!.envelope(), sent);
      assert.equal(delivery!.queue, 'q');
      assert.equal(delivery!.redelivered, false);
      assert.equal(delivery!.deliveries, 1);
      assert.deepEqual(await consumer.acknowledge([delivery!]), [true]);
      assert.deepEqual(await broker.sizes(['q']), [{ queue: 'q', waiting: 0, delayed: 0, claimed: 0 }]);
    },
  },
  {
    name: 'a message that is written already arrives as it stands',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const sent = envelope('é');
      await broker.publish([message('', { envelope: JSON.stringify(sent) }), message('', { envelope: sent })]);
      for (let i = 0; i < 2; i++) assert.deepEqual((await receive(consumer, 1))[0]!.envelope(), sent);
    },
  },
  {
    name: 'publishing nothing is no error',
    async run(lab) {
      await (await lab.open()).publish([]);
    },
  },
  {
    name: 'messages of one priority leave in order',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const ids = names(1000);
      for (let i = 0; i < 1000; i += 250) await broker.publish(ids.slice(i, i + 250).map((id) => message(id)));
      assert.deepEqual(await receiveIds(consumer, 1000, 90), ids);
    },
  },
  {
    name: 'the most urgent leave first, 9 before 0',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const { priorities } = broker.capabilities;
      const levels = priorities === 10 ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : priorities > 1 ? [0, 9] : [0];
      await broker.publish([...levels, ...levels].map((priority, i) => message(`${priority}.${i}`, { priority })));
      const got = await receiveIds(consumer, levels.length * 2, 3);
      const each = levels.map((level, i) => [`${level}.${i}`, `${level}.${i + levels.length}`]);
      assert.deepEqual(got, each.reverse().flat());
    },
  },
  {
    name: 'receive gives at most max and at least one',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish(names(5).map((id) => message(id)));
      const first = await receive(consumer, 3);
      const second = await receive(consumer, 3);
      assert.equal(first.length, 3);
      assert.equal(second.length, 2);
    },
  },
  {
    name: 'a waiting receive is woken by another handle',
    async run(lab) {
      const { consumer } = await pair(lab);
      const other = await lab.open();
      const waiting = receive(consumer, 10);
      await other.publish([message('a')]);
      assert.deepEqual((await waiting).map(idOf), ['a']);
    },
  },
  {
    name: 'a consumer takes from its queues and no others',
    async run(lab) {
      const { broker, consumer } = await pair(lab, { queues: ['q', 'r'] });
      await broker.publish([message('a', { queue: 'other' }), message('b', { queue: 'r' }), message('c')]);
      assert.deepEqual((await receiveIds(consumer, 2, 10)).sort(), ['b', 'c']);
      assert.equal((await broker.sizes(['other']))[0]!.waiting, 1);
    },
  },
  {
    name: 'many consumers get each message once',
    async run(lab) {
      const broker = await lab.open();
      const consumers = await Promise.all(names(5).map((hostname) => broker.consume({ ...options, hostname })));
      const ids = names(1000);
      const got: string[] = [];
      const stops: AbortController[] = [];
      const done = Promise.all(
        consumers.map(async (consumer) => {
          const stop = new AbortController();
          stops.push(stop);
          for (;;) {
            const deliveries = await consumer.receive(7, stop.signal).catch(() => undefined);
            if (deliveries === undefined) return;
            got.push(...deliveries.map(idOf));
            await consumer.acknowledge(deliveries);
            if (got.length >= ids.length) for (const each of stops) each.abort();
          }
        }),
      );
      await Promise.all(ids.map((id) => broker.publish([message(id)])));
      await limited(done);
      assert.deepEqual(got.sort(), ids);
    },
  },
  {
    name: 'a delayed message is held back until it is due',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      if (broker.capabilities.delay !== 'native') return;
      const due = Date.now() / 1000 + 0.15;
      await broker.publish([message('later', { due }), message('past', { due: due - 60 }), message('now')]);
      assert.deepEqual(await receiveIds(consumer, 2, 10), ['past', 'now']);
      assert.equal((await broker.sizes(['q']))[0]!.delayed, 1);
      assert.deepEqual(await receiveIds(consumer, 1, 10), ['later']);
      assert.ok(Date.now() / 1000 >= due - 0.002, 'not before it is due');
    },
  },
  {
    name: 'of two delayed messages the earlier due comes first',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      if (broker.capabilities.delay !== 'native') return;
      const now = Date.now() / 1000;
      const got = receiveIds(consumer, 2, 1);
      await broker.publish([message('second', { due: now + 0.25 })]);
      await broker.publish([message('first', { due: now + 0.1 })]);
      assert.deepEqual(await got, ['first', 'second']);
    },
  },
  {
    name: 'the quarantined is out of its queue and listed, newest first',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      await broker.publish(names(3).map((id) => message(id)));
      const deliveries = await receive(consumer, 3);
      for (const delivery of deliveries)
        await consumer.quarantine(delivery, `reason ${idOf(delivery)}`, idOf(delivery));
      assert.deepEqual(await consumer.acknowledge(deliveries), [false, false, false]);
      const listed = await broker.quarantined();
      assert.deepEqual(
        listed.map(({ id, queue, reason }) => [id, queue, reason]),
        names(3)
          .reverse()
          .map((id) => [id, 'q', `reason ${id}`]),
      );
      assert.deepEqual(JSON.parse(listed[0]!.text), envelope(names(3)[2]!));
      assert.ok(Math.abs(listed[0]!.time - Date.now() / 1000) < 60);
      assert.equal((await broker.quarantined(2)).length, 2);
    },
  },
  {
    name: 'malformed text is delivered and its decoding fails',
    skip: (lab) => (lab.putText === undefined ? 'nobody can put text into it' : undefined),
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const texts = [
        '',
        'not JSON',
        '[]',
        '{"body":1}',
        '{"body":"","headers":null,"properties":3}',
        '{"__proto__":{}}',
      ];
      for (const text of texts) await lab.putText!('q', text);
      for (const text of texts) {
        const [delivery] = await receive(consumer, 1);
        assert.throws(() => delivery!.envelope(), DecodeError, text);
        await consumer.quarantine(delivery!, 'malformed');
        const [listed] = await broker.quarantined(1);
        assert.deepEqual([listed!.text, listed!.id], [text, undefined]);
      }
    },
  },
  {
    name: 'a message beyond the limits is delivered and its decoding fails',
    async run(lab) {
      const { broker, consumer } = await pair(lab, { limits: { maxLength: 1000, maxDepth: 8 } });
      const deep = { ...envelope('deep'), headers: { a: [[[[[[[[[[]]]]]]]]]] } };
      await broker.publish([message('x'.repeat(2000)), message('deep', { envelope: deep })]);
      for (const delivery of await receive(consumer, 2)) assert.throws(() => delivery.envelope(), DecodeError);
    },
  },
  {
    name: 'purge deletes the waiting and the delayed, not the claimed',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const due = Date.now() / 1000 + 3600;
      await broker.publish([...names(5).map((id) => message(id)), message('x', { queue: 'other' })]);
      await broker.publish(broker.capabilities.delay === 'native' ? [message('d', { due })] : [message('d')]);
      const [claimed] = await receive(consumer, 1);
      assert.equal(await broker.purge('q'), 5);
      assert.equal(await broker.purge('q'), 0);
      assert.equal(await broker.purge('unheard of'), 0);
      assert.equal((await broker.sizes(['other']))[0]!.waiting, 1);
      assert.deepEqual(await consumer.acknowledge([claimed!]), [true]);
    },
  },
  {
    name: 'sizes tell the waiting, the delayed and the claimed',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const due = broker.capabilities.delay === 'native' ? Date.now() / 1000 + 3600 : undefined;
      await broker.publish([...names(5).map((id) => message(id)), message('x', { queue: 'r', due })]);
      await receive(consumer, 2);
      const delayed = due === undefined ? { waiting: 1, delayed: 0 } : { waiting: 0, delayed: 1 };
      const all = [
        { queue: 'q', waiting: 3, delayed: 0, claimed: 2 },
        { queue: 'r', claimed: 0, ...delayed },
      ];
      const byName = (a: { queue: string }, b: { queue: string }) => (a.queue < b.queue ? -1 : 1);
      assert.deepEqual((await broker.sizes()).sort(byName), all);
      assert.deepEqual(await broker.sizes(['r']), [all[1]]);
      assert.deepEqual(await broker.sizes(['none']), [{ queue: 'none', waiting: 0, delayed: 0, claimed: 0 }]);
    },
  },
  {
    name: 'bad arguments are refused by name, and nothing of the call is sent',
    async run(lab) {
      const { broker, consumer } = await pair(lab);
      const refuse = (bad: Partial<OutgoingMessage>, error: new (...args: never[]) => Error) =>
        assert.rejects(broker.publish([message('good'), message('bad', bad)]), error);
      await refuse({ queue: '' }, InvalidArgumentError);
      await refuse({ priority: 10 }, InvalidArgumentError);
      await refuse({ priority: 1.5 }, InvalidArgumentError);
      await refuse({ due: Number.NaN }, InvalidArgumentError);
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      await refuse({ envelope: { ...envelope('bad'), headers: circular } }, EncodeError);
      await assert.rejects(consumer.receive(0), InvalidArgumentError);
      await assert.rejects(broker.consume({ ...options, queues: [] }), InvalidArgumentError);
      await assert.rejects(broker.consume({ ...options, lease: 0 }), InvalidArgumentError);
      assert.equal((await broker.sizes(['q']))[0]!.waiting, 0);
    },
  },
];

/** Everything `Broker` and `Consumer` promise within one process. */
export const brokerBehaviours: readonly Behaviour<BrokerLab>[] = [...queueBehaviours, ...consumerBehaviours];
