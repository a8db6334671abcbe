import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import { decodeMessage } from '../../src/tasks/message.ts';

async function received(app: Simul, count: number) {
  await using consumer = await (await app.broker()).consume({ queues: ['celery'], lease: 60, hostname: 'h' });
  const deliveries = [];
  while (deliveries.length < count) deliveries.push(...(await consumer.receive(count)));
  await consumer.acknowledge(deliveries);
  return deliveries.map((delivery) => ({ ...delivery.envelope(), ...decodeMessage(delivery.envelope()) }));
}

test('what is done to the values of a call after it does no harm, whether or not the broker is there', async () => {
  await using app = new Simul('shop', { broker: 'memory://sending' });
  const add = app.task('shop.add', (list: number[]) => list.length);
  for (const when of ['before', 'after'] as const) {
    const [list, headers, kwargs] = [[1], { tenant: 'a' }, { n: 1 }];
    const sent = [
      add.applyMany([[list], [list]], { headers, kwargs }),
      add.applyAsync([list], { headers, kwargs }),
      add.delay(list),
    ];
    list.push(2);
    headers.tenant = 'b';
    kwargs.n = 2;
    await Promise.all(sent);
    const messages = await received(app, 4);
    const args = messages.map((message) => message.args);
    assert.deepEqual(args, [[[1]], [[1]], [[1]], [[1]]], when);
    const [first, second, third, last] = messages.map((message) => [message.headers['tenant'], message.kwargs['n']]);
    assert.deepEqual([first, second, third], [['a', 1], ['a', 1], ['a', 1]], when); // prettier-ignore
    assert.deepEqual(last, [undefined, undefined], when);
  }
});

test('dates that are changed after a call do no harm either', async () => {
  await using app = new Simul('shop', { broker: 'memory://sending' });
  const add = app.task('shop.add', (x: number) => x);
  const [eta, expires] = [new Date(Date.now() - 1000), new Date(Date.now() + 60_000)];
  const [due, end] = [eta.toISOString(), expires.toISOString()];
  const sent = add.applyAsync([1], { eta, expires });
  eta.setUTCFullYear(2000);
  expires.setUTCFullYear(2000);
  await sent;
  const [message] = await received(app, 1);
  const written = [message!.headers['eta'], message!.headers['expires']].map((time) => new Date(String(time)));
  assert.deepEqual(written.map((time) => time.toISOString()), [due, end]); // prettier-ignore
});

test("a call's options come before the task's, and reach the message in the broker's own words", async () => {
  await using app = new Simul('shop', { broker: 'memory://sending', taskDefaults: { timeLimit: 9 } });
  const add = app.task('shop.add', { priority: 2, expires: 60, softTimeLimit: 5 }, (x: number) => x);
  const own = await add.applyAsync([1], { priority: 7, expires: 600, softTimeLimit: 6, taskId: 'mine' });
  const plain = await add.delay(2);
  const other = await app.sendTask('other', [3]);
  const { mostUrgent } = (await app.broker()).capabilities;
  const scale = (priority: number) => (mostUrgent === 9 ? priority : 9 - priority);
  const byId = new Map((await received(app, 3)).map((message) => [message.headers['id'], message]));
  const told = [own, plain, other].map(({ id }) => {
    const { headers, properties, args } = byId.get(id)!;
    const life = properties.expiration === undefined ? undefined : Math.ceil(Number(properties.expiration) / 60_000);
    return [args[0], properties.priority, life, headers['timelimit']];
  });
  assert.deepEqual(told, [
    [1, scale(7), 10, [9, 6]],
    [2, scale(2), 1, [9, 5]],
    [3, undefined, undefined, [9, null]],
  ]);
  assert.equal(own.id, 'mine');
});
