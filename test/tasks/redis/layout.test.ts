import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consumer } from '../../../src/tasks/broker.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { Place, until } from './place.ts';

const separator = '\x06\x16';

function textOf(id: string, priority?: number): string {
  const { envelope } = message(id);
  return JSON.stringify({
    ...envelope,
    properties: { ...envelope.properties, ...(priority === undefined ? {} : { priority }) },
  });
}

async function one(consumer: Consumer) {
  return (await consumer.receive(1))[0]!;
}

test('messages lie where kombu puts and looks for them', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const at = async (list: string) => ((await place.call<string[]>('LRANGE', list, 0, -1)) ?? []).map(id);
  const id = (text: string) => (JSON.parse(text) as { headers: { id: string } }).headers.id;
  await broker.publish([message('a'), message('b'), message('p0', { priority: 0 }), message('p2', { priority: 2 })]);
  await broker.publish([
    message('p3', { priority: 3 }),
    message('p9', { priority: 9 }),
    message('p6', { priority: 6 }),
  ]);
  assert.deepEqual(await at('q'), ['p9', 'b', 'a'], 'pushed left; no priority and 9 are the most urgent');
  assert.deepEqual(await at(`q${separator}3`), ['p6']);
  assert.deepEqual(await at(`q${separator}6`), ['p3', 'p2']);
  assert.deepEqual(await at(`q${separator}9`), ['p0']);
  assert.deepEqual(await place.call('SMEMBERS', '_kombu.binding.q'), [`q${separator}${separator}q`]);
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  assert.deepEqual((await consumer.receive(9)).map(idOf), ['a', 'b', 'p9', 'p6', 'p2', 'p3', 'p0']);
});

test('a claim is one of kombu, with the message as it came, and vanishes when acknowledged', async () => {
  await using place = await Place.open();
  const consumer = await place.consumer();
  const text = `{"body": "W10=", "content-type": "application/json", "n": 1.0, "big": 123456789012345678901234567890,\t"headers": {"x": []}, "properties": {"delivery_tag": "t", "delivery_info": {"exchange": "ex", "routing_key": "rk\\"é"}}}`;
  await place.call('LPUSH', 'q', text);
  const before = Date.now() / 1000;
  const delivery = await one(consumer);
  const [tag, value] = await place.call<[string, string]>('HGETALL', 'unacked');
  assert.match(tag, /^simul:[0-9a-f]{16}:0:0:q$/);
  assert.equal(value, `[${text},"ex","rk\\"é"]`);
  const [member, score] = await place.call<[string, string]>('ZRANGE', 'unacked_index', 0, -1, 'WITHSCORES');
  assert.equal(member, tag);
  assert.ok(Math.abs(Number(score) - before) < 10);
  assert.deepEqual(await consumer.acknowledge([delivery]), [true]);
  assert.deepEqual([await place.call('EXISTS', 'unacked', 'unacked_index')], [0]);
});

test('what is given back is marked as kombu marks it, and nothing else of it changes', async () => {
  await using place = await Place.open();
  const consumer = await place.consumer();
  const text = `{"body": "W10=", "n": 1.0, "headers": {"a": {"redelivered": 1}, "x": 1e400}, "properties": {"delivery_info": {"exchange": "", "routing_key": "q"}, "priority": 3, "delivery_tag": "t"}}`;
  await place.call('LPUSH', `q${separator}3`, text);
  await consumer.release([await one(consumer)]);
  const marked = text
    .replace('"headers": {', '"headers": {"redelivered": true, ')
    .replace('"delivery_info": {', '"delivery_info": {"redelivered": true, ');
  assert.deepEqual(await place.call('LRANGE', `q${separator}3`, 0, -1), [marked]);
  await consumer.release([await one(consumer)], { attempted: true });
  const [counted] = await place.call<string[]>('LRANGE', `q${separator}3`, 0, -1);
  assert.equal(counted, marked.replace('"delivery_info": {', '"delivery_info": {"simul_deliveries": 1, '));
  const again = await one(consumer);
  assert.deepEqual([again.redelivered, again.deliveries], [true, 2]);
});

test('what is no JSON object is set aside by the script that takes it', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const bad = ['', 'not JSON', '[1]', '"text"', '{"a": }', '{"a": 1} x', ' {', 'null'];
  const good = [' {"headers": {"id": "g0"}, "body": "", "properties": {}}', textOf('g1').replace('(2, 3)', '\\ud83d')];
  await place.call('LPUSH', 'q', ...bad, ...good);
  const got = [...(await consumer.receive(100))];
  assert.deepEqual(got.map(idOf), ['g0', 'g1']);
  assert.deepEqual((await broker.quarantined()).map(({ text }) => text).reverse(), bad);
  assert.deepEqual(
    (await broker.quarantined(1)).map(({ queue, reason }) => [queue, reason]),
    [['q', 'the message is not a JSON object']],
  );
  assert.equal(await place.call('HLEN', 'unacked'), 2);
});

test('a claim tells what is stored of its task, where results lie on the same server', async () => {
  await using place = await Place.open();
  const backend = await place.backend();
  const claims = async (consumer: Consumer) => {
    await place.call('LPUSH', 'q', ...['a', 'b', 'c'].map((id) => textOf(id)));
    return (await consumer.receive(9)).map(({ stored }) => stored);
  };
  const consumer = await place.consumer({ results: backend.place });
  assert.deepEqual(await claims(consumer), [null, null, null]);
  await backend.store([{ id: 'b', state: 'REVOKED', document: 'the document' }]);
  assert.deepEqual(await claims(consumer), [null, 'the document', null]);
  // What cannot be told is left to whoever asks: another server, ids that are read in two ways or stand elsewhere.
  assert.deepEqual(await claims(await place.consumer({ results: backend.place }, '/0')), [
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(await claims(await place.consumer()), [undefined, undefined, undefined]);
  const odd = [textOf('b').replace('(2, 3)', '\\ud83d'), '{"body": "", "properties": {}}', textOf('b')];
  await place.call('LPUSH', 'q', ...odd);
  assert.deepEqual(
    (await consumer.receive(9)).map(({ stored }) => stored),
    [undefined, undefined, 'the document'],
  );
  await place.call('ACL', 'SETUSER', 'default', '-mget');
  assert.deepEqual(await claims(consumer), [undefined, undefined, undefined]);
});

test('what a claim tells of the end of its task grows old', async () => {
  await using place = await Place.open();
  const backend = await place.backend();
  const consumer = await place.consumer({ results: backend.place });
  await place.call('LPUSH', 'q', textOf('a'));
  const [delivery] = await consumer.receive(1);
  const claimed = performance.now();
  assert.equal(delivery!.stored, null);
  while (performance.now() < claimed + 210);
  assert.equal(delivery!.stored, undefined);
});

test('a delayed claim lies in unacked with the time it is due as its score', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  await place.call('LPUSH', `q${separator}6`, textOf('é', 6));
  const due = Math.ceil(Date.now() / 1000) + 1000;
  await consumer.release([await one(consumer)], { due });
  const [tag, score] = await place.call<[string, string]>('ZRANGE', 'unacked_index', 0, -1, 'WITHSCORES');
  assert.match(tag, /^simul:due:2:\d+:/);
  assert.equal(Number(score), due);
  const value = JSON.parse(await place.call<string>('HGET', 'unacked', tag)) as [unknown, string, string];
  assert.deepEqual(value.slice(1), ['', 'q']);
  assert.deepEqual(await broker.sizes(['q']), [{ queue: 'q', waiting: 0, delayed: 1, claimed: 0 }]);
  await consumer.close();
  assert.deepEqual(
    await broker.sizes(['q']),
    [{ queue: 'q', waiting: 0, delayed: 1, claimed: 0 }],
    'nobody strands it',
  );
  await place.call('ZADD', 'simul:delayed:q', 1, tag);
  const other = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  assert.equal(idOf(await one(other)), 'é');
  assert.equal(await place.call('EXISTS', 'simul:delayed:q'), 0);
});

test('no step takes much more than a few megabytes, whatever the number', async () => {
  await using place = await Place.open();
  const consumer = await place.consumer();
  const big = 'x'.repeat(2 ** 20);
  for (let i = 0; i < 20; i++) {
    await place.call('LPUSH', 'q', textOf(String(i)).replace('{', `{"big": "${big}", `));
  }
  const got = await consumer.receive(100);
  assert.ok(got.length >= 4 && got.length < 10, String(got.length));
  while (got.length < 20) got.push(...(await consumer.receive(100)));
  assert.deepEqual(
    got.map(idOf),
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
  await consumer.release(got);
  assert.equal(await place.call('LLEN', 'q'), 20);
});

test('what is no delayed claim is set aside, and what is no entry of the quarantine is shown as it is', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  await place.call('ZADD', 'simul:delayed:q', 1, 'nonsense', 1, 'simul:due:7:5:c:1:q', 1, 'gone');
  await place.call('HSET', 'unacked', 'simul:due:7:5:c:1:q', '[{"a": 1},"",""]', 'nonsense', 'value');
  await broker.publish([message('a')]);
  assert.deepEqual((await consumer.receive(9)).map(idOf), ['a']);
  await place.call('LPUSH', 'simul:quarantine', 'not JSON', 'null');
  const texts = (await broker.quarantined()).map(({ text }) => text);
  assert.deepEqual(texts.sort(), ['[{"a": 1},"",""]', 'gone', 'not JSON', 'null', 'value']);
  assert.equal(await place.call('EXISTS', 'simul:delayed:q'), 0);
});

test('claims of Celery are left alone until its visibility timeout, and then go where kombu would send them', async () => {
  await using place = await Place.open();
  const now = Date.now() / 1000;
  const put = async (tag: string, age: number, exchange: string, key: string) => {
    const text = textOf(tag).replace(
      '"exchange":"","routing_key":"q"',
      `"exchange":"${exchange}","routing_key":"${key}"`,
    );
    await place.call('HSET', 'unacked', tag, `[${text}, "${exchange}", "${key}"]`);
    await place.call('ZADD', 'unacked_index', now - age, tag);
  };
  await place.call('SADD', '_kombu.binding.ex', `other${separator}${separator}r`, `k${separator}${separator}q`);
  await put('young', 50, '', 'q');
  await put('old', 200, '', 'q');
  await put('bound', 201, 'ex', 'k');
  await put('unbound', 202, 'nowhere', 'q');
  await place.call('HSET', 'unacked', 'garbage', 'garbage');
  await place.call('ZADD', 'unacked_index', now - 300, 'garbage');
  await place.call('SET', 'unacked_mutex', 'celery', 'PX', 1500);
  const broker = await place.broker('?visibility_timeout=100');
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const got: string[] = [];
  while (got.length < 3) {
    const deliveries = await consumer.receive(10);
    assert.ok(deliveries.every(({ redelivered }) => redelivered));
    got.push(...deliveries.map(idOf));
    await consumer.acknowledge(deliveries);
  }
  assert.deepEqual(got.sort(), ['bound', 'old', 'unbound']);
  assert.deepEqual(await place.call('HKEYS', 'unacked'), ['young']);
  assert.deepEqual(
    (await broker.quarantined()).map(({ text }) => text),
    ['garbage'],
  );
  await until(
    () => place.call<number>('EXISTS', 'unacked_mutex'),
    (exists) => exists === 0,
  );
});

test('each of several queues has its turn', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  const queues = ['a', 'b', 'c'];
  await broker.publish(queues.flatMap((queue) => [1, 2].map((i) => message(`${queue}${i}`, { queue }))));
  const consumer = await broker.consume({ queues, lease: 30, hostname: 'h' });
  const got: string[] = [];
  for (let i = 0; i < 6; i++) got.push(idOf(await one(consumer)));
  assert.deepEqual(got, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
});

test('keys of a prefix are apart from others', async () => {
  await using place = await Place.open();
  const [broker, backend] = [await place.broker('?global_keyprefix=x'), await place.backend('?global_keyprefix=x')];
  await broker.publish([message('a')]);
  await backend.store([{ id: 'i', state: 'SUCCESS', document: '{"status": "SUCCESS"}' }]);
  const keys = (await place.call<string[]>('KEYS', '*')).filter((key) => !key.includes('published'));
  assert.deepEqual(keys.sort(), ['x_celery-task-meta-i', 'x_kombu.binding.q', 'xq']);
});

test('results lie where Celery looks for them, expire, and replace what is none', async () => {
  await using place = await Place.open();
  const backend = await place.backend('', { resultExpires: 100 });
  const document = '{"status": "SUCCESS", "result": 5, "task_id": "i"}';
  await place.call('RPUSH', 'celery-task-meta-i', 'no result');
  await place.call('SET', 'celery-task-meta-j', 'no JSON');
  await backend.store(['i', 'j', 'k'].map((id) => ({ id, state: 'SUCCESS', document })));
  for (const id of ['i', 'j', 'k']) {
    assert.equal(await place.call('GET', `celery-task-meta-${id}`), document);
    assert.ok((await place.call<number>('TTL', `celery-task-meta-${id}`)) > 90);
  }
  const foreign = '{"task_id": "c", "result": {"a": NaN}, "status": "STARTED"}';
  await place.call('SET', 'celery-task-meta-c', foreign.replace('NaN', '1'));
  await backend.store([{ id: 'c', state: 'FAILURE', document: '{"status": "FAILURE"}' }]);
  assert.equal((await backend.fetch(['c']))[0]!.state, 'FAILURE');
  await place.call('SET', 'celery-task-meta-c', foreign.replace('STARTED', 'SUCCESS'));
  await backend.store([{ id: 'c', state: 'FAILURE', document: '{"status": "FAILURE"}' }]);
  assert.equal((await backend.fetch(['c']))[0]!.state, 'SUCCESS');
});
