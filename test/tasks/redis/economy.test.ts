import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deferred } from '../../../src/base/deferred.ts';
import { Ignore, Reject } from '../../../src/tasks/errors.ts';
import { Simul } from '../../../src/tasks/app.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { message } from '../sqlite/messages.ts';
import { WorkerCommand } from './command.ts';
import { commandCounts, commandRates } from './command-counts.ts';
import { Place, until } from './place.ts';

/** The connections of others than the test's own, which asks. */
async function connections(place: Place): Promise<string[]> {
  const own = String(await place.call('CLIENT', 'ID'));
  const list = await place.call<string>('CLIENT', 'LIST');
  return list.split('\n').filter((line) => line.startsWith('id=') && !line.startsWith(`id=${own} `));
}

it('a client has one connection for all it sends and asks, and one more while it waits for results', async () => {
  await using place = await Place.open();
  await using app = new Simul('client', { broker: place.url(), backend: place.url() });
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => app.sendTask('t', [i])));
  await Promise.all([
    ...results.map((result) => result.status()),
    (await app.broker()).sizes(['celery']),
    (await app.broker()).quarantined(),
    ...results.map((result) => result.forget()),
  ]);
  assert.equal((await connections(place)).length, 1);
  const cancel = new AbortController();
  const waiting = results.slice(0, 20).map((result) => result.get({ signal: cancel.signal }).catch(() => {}));
  await until(
    async () => (await place.call<[string, number]>('PUBSUB', 'NUMSUB', `celery-task-meta-${results[19]!.id}`))[1],
    (count) => count === 1,
  );
  assert.equal((await connections(place)).length, 2);
  cancel.abort();
  await Promise.all(waiting);
  await app.close();
  await until(
    () => connections(place),
    (left) => left.length === 0,
  );
});

it('an idle worker sends less than 600 commands a minute', async () => {
  await using place = await Place.open();
  await using worker = new WorkerCommand(place.url());
  await until(
    async () => (await commandCounts(place)).blmove ?? 0,
    (count) => count >= 4,
  );
  const rates = await commandRates(place, 5);
  // Within scripts they are no messages of the worker's; those that are sent by themselves are named here.
  const sent = ['evalsha', 'eval', 'publish', 'client|list', 'client|id', 'hmget', 'smembers', 'mget', 'get', 'blmove'];
  const total = sent.reduce((sum, command) => sum + (rates[command] ?? 0), 0) * 60;
  assert.ok(total > 60 && total < 600, `${total} a minute: ${JSON.stringify(rates)}`);
  assert.equal(await worker.end('SIGTERM'), 0, worker.said);
});

it('when all is done and forgotten no key is left but the binding of the queue and what was set aside', async () => {
  await using place = await Place.open();
  const ended = deferred();
  const app = new Simul('worker', { broker: place.url(), resultExpires: 100 });
  app.task('add', (x: number, y: number) => x + y);
  app.task('fail', () => {
    throw new Error('boom');
  });
  app.task('again', { bind: true }, (ctx) => ctx.retries || ctx.retry({ countdown: 0.1 }));
  app.task('ignore', () => {
    throw new Ignore();
  });
  app.task('reject', () => {
    ended.resolve();
    throw new Reject('no');
  });
  // More than it runs at a time, so that beginnings are written too.
  const worker = new Worker(app, { loglevel: 'critical', concurrency: 2, prefetchMultiplier: 4 });
  await worker.start();
  const handles = [
    ...(await Promise.all(Array.from({ length: 20 }, (_, i) => app.sendTask('add', [i, 1], { priority: i % 10 })))),
    await app.sendTask('add', [1, 1], { countdown: 0.3 }),
    await app.sendTask('add', [1, 1], { expires: new Date(0) }),
    await app.sendTask('fail'),
    await app.sendTask('again'),
    await app.sendTask('unknown'),
  ];
  const revoked = await app.sendTask('add', [1, 1], { countdown: 1 });
  await revoked.revoke();
  await app.sendTask('ignore');
  await place.call('LPUSH', 'celery', 'not JSON');
  const outcomes = await Promise.allSettled(handles.map((handle) => handle.get({ timeout: 30 })));
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 3);
  await revoked.get({ timeout: 30 }).catch(() => {});
  // The mark lasts until a worker has met its message.
  await until(
    () => place.call<number>('PTTL', `celery-task-meta-${revoked.id}`),
    (left) => left > 0,
  );
  await app.sendTask('reject');
  await ended.promise;
  // A mark of revocation gets its lifetime when the worker meets it.
  await until(
    () => place.call<number>('PTTL', `celery-task-meta-${revoked.id}`),
    (left) => left > 0,
  );
  await worker.stop();
  const ends = await Promise.all([...handles, revoked].map(({ id }) => place.call('PTTL', `celery-task-meta-${id}`)));
  for (const end of ends) assert.ok(Number(end) > 0 && Number(end) <= 100_000, `it expires: ${String(end)}`);
  for (const handle of [...handles, revoked]) await handle.forget();
  await app.close();
  assert.deepEqual((await place.call<string[]>('KEYS', '*')).sort(), ['_kombu.binding.celery', 'simul:quarantine']);
});

it('a message that is sent again and again at its end leaves no key for each', async () => {
  await using place = await Place.open();
  const broker = await place.broker();
  for (let i = 0; i < 20; i++) await broker.publish([message(`m${i}`)], `token${i}`);
  await until(
    () => place.call<string[]>('KEYS', 'simul:published:token*'),
    (keys) => keys.length === 0,
  );
});
