import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Typed } from '../../src/base/json/typed.ts';
import { Mailbox } from '../../src/tasks/control/mailbox.ts';
import { Simul } from '../../src/tasks/app.ts';
import { encodeMessage } from '../../src/tasks/message.ts';
import { Worker } from '../../src/worker/worker.ts';
import { startRedis } from '../support/redis.ts';
import { Monitor } from './monitor.ts';
import { poisonIn } from './poison-checker.ts';
import { claimPoison, controlPoison, eventPoison, harmless, message, queuePoison } from './poison-table.ts';

const wait = { timeout: 20 };

describe('the checker of poison', () => {
  for (const { row, kind, text } of [...queuePoison, ...eventPoison, ...controlPoison, ...claimPoison]) {
    it(`finds in a planted ${kind} message: ${row}`, () => assert.deepEqual(poisonIn(kind, text), [row]));
  }

  it('finds nothing in what kombu writes', () => {
    assert.deepEqual(poisonIn('queue', JSON.stringify(message('x'))), []);
    assert.deepEqual(poisonIn('claim', JSON.stringify([message('x'), '', 'celery'])), []);
  });

  it('knows each kind of message that is in the table', () => {
    assert.ok(queuePoison.length > 30 && harmless.length > 5);
    assert.ok(eventPoison.length > 5 && controlPoison.length > 5 && claimPoison.length > 1);
  });
});

describe('nothing that Simul sends is poison:', () => {
  it('tasks with every option, retries, what follows them, commands, answers, events and claims', async () => {
    await using redis = await startRedis();
    const url = `redis://127.0.0.1:${redis.port}/0`;
    await using monitor = await Monitor.on(url);
    await using app = new Simul('test', { broker: url, backend: url });
    await sendEverything(app);
    const checked = { queue: 0, event: 0, control: 0, claim: 0 };
    for (const [kind, text] of sent(monitor)) {
      checked[kind]++;
      assert.deepEqual(poisonIn(kind, text), [], `${kind}: ${text}`);
    }
    // What was looked at is what was meant to be: none of the kinds has slipped through unseen.
    assert.ok(checked.queue >= 12, JSON.stringify(checked));
    assert.ok(checked.event >= 3 && checked.control >= 12 && checked.claim >= 10, JSON.stringify(checked));
  });
});

async function sendEverything(app: Simul): Promise<void> {
  const echo = app.task('echo', (value: unknown) => value);
  const retried = app.task('retried', { bind: true }, (ctx) =>
    ctx.retries === 0 ? ctx.retry({ countdown: 0.05, expires: 60, headers: { again: true } }) : ctx.retries,
  );
  const again = app.task('again', { autoretryFor: [TypeError], maxRetries: 1, retryBackoff: 0.01 }, () => {
    throw new TypeError('boom');
  });
  const parent = app.task('parent', async () => (await echo.delay(1)).id);
  const everything = {
    kwargs: { value: 1 },
    eta: new Date(Date.now() + 200),
    expires: 60,
    priority: 7,
    taskId: 'an-id',
    shadow: 'shown',
    headers: { tenant: 'é' },
    timeLimit: 300,
    softTimeLimit: 270,
    ignoreResult: false,
  };
  await using worker = new Worker(app, { hostname: 'w1', heartbeatInterval: 0.05, loglevel: 'critical' });
  await worker.start();
  const sendings = [
    echo.delay(values),
    echo.applyAsync([], everything),
    echo.applyAsync([1], { countdown: 0.05 }),
    echo.applyAsync([1], { expires: -1 }),
    retried.delay(),
    again.delay(),
    parent.delay(),
    app.sendTask('unknown', [1]),
    ...(await echo.applyMany([[1], [2]])).map((result) => Promise.resolve(result)),
  ];
  for (const result of await Promise.all(sendings)) await result.get({ ...wait, propagate: false });
  await sendCanvas(app);
  await sendCommands(app);
}

const values = [
  [null, undefined, true, 1, 1.5, 2n ** 80n, Number.NaN, Infinity, 'é😀\ud800"\\'],
  [new Date(0), new Date(1.5), new Date('2024-05-06T07:08:09.120Z'), Buffer.from('é'), Buffer.from([255])],
  [new Typed('decimal', '1.1'), Typed.uuid('12345678-1234-5678-1234-567812345678'), { __proto: 1 }],
];

/** A chain with callbacks and errbacks, as a Python client would begin it. */
async function sendCanvas(app: Simul): Promise<void> {
  const link = (task: string, id: string) => ({
    task,
    args: [],
    kwargs: {},
    options: { task_id: id },
    subtask_type: null,
    immutable: false,
  });
  const embed = {
    callbacks: [link('echo', 'callback')],
    errbacks: [link('echo', 'errback')],
    chain: [link('again', 'third'), link('echo', 'second')],
    chord: null,
  };
  const envelope = encodeMessage({ id: 'first', task: 'echo', args: [1], kwargs: {}, queue: 'celery', embed });
  await (await app.broker()).publish([{ queue: 'celery', envelope, priority: undefined, due: undefined }]);
  for (const id of ['first', 'callback', 'second', 'third']) {
    await app.AsyncResult(id).get({ ...wait, propagate: false });
  }
}

async function sendCommands(app: Simul): Promise<void> {
  const mailbox = new Mailbox(await app.broker());
  const [name] = (await mailbox.call('ping', {}, { timeout: 0.2 })).keys();
  const only = { destination: [name!], timeout: 20 };
  await mailbox.call('revoke', { task_id: ['a', 'b'] }, only);
  await mailbox.call('hello', { from_node: 'x@y', revoked: { c: [1.5, 'c'] } }, only);
  for (const method of ['active', 'registered', 'stats', 'conf', 'active_queues', 'scheduled', 'no_such']) {
    await mailbox.call(method, {}, only);
  }
  await mailbox.call('ping', {}, { pattern: 'w*', timeout: 0.1 });
  await mailbox.cast('heartbeat', {}, { pattern: 'w.*', matcher: 'pcre' });
}

/** Messages among the commands, whoever carried them out: a client, or a script. */
function* sent(monitor: Monitor): Generator<['queue' | 'event' | 'control' | 'claim', string]> {
  for (const [name = '', key = '', ...rest] of monitor.commands) {
    const command = name.toUpperCase();
    if (command === 'PUBLISH' && key.includes('celeryev')) yield ['event', rest[0]!];
    else if (command === 'PUBLISH' && key.includes('pidbox')) yield ['control', rest[0]!];
    else if (/^[LR]PUSHX?$/.test(command) && key.endsWith('.reply.celery.pidbox')) yield ['control', rest[0]!];
    else if (/^[LR]PUSHX?$/.test(command) && !key.startsWith('simul:')) for (const text of rest) yield ['queue', text];
    else if (/^HM?SET(NX)?$/.test(command) && key === 'unacked') {
      for (let i = 1; i < rest.length; i += 2) yield ['claim', rest[i]!];
    }
  }
}
