import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import type { Delivery, QueueSize } from '../../src/tasks/broker.ts';
import { WorkerLostError } from '../../src/tasks/errors.ts';
import { Workspace } from '../support/command.ts';

// Tasks that end the very process which runs them, in ways that leave the worker no time for anything.
const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('crash');
app.task('crash.exit', () => process.exit(3));
app.task('crash.timer', () => new Promise(() => setTimeout(() => { throw new Error('in a timer'); })));
app.task('crash.rejection', () => new Promise(() => void Promise.reject(new Error('unhandled'))));
app.task('crash.kill', () => process.kill(process.pid, 'SIGKILL'));
app.task('crash.early', { acksLate: false }, () => process.kill(process.pid, 'SIGKILL'));
app.task('crash.hang', () => {
  console.error('hanging');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
app.task('crash.fine', (n) => n);
app.task('crash.threaded', { pool: 'threads' }, () => new Promise(() => {}));
`;

const worker = `
import { Worker } from '{{simul}}';
import { app } from './app.mjs';
const module = new URL('app.mjs', import.meta.url);
const worker = new Worker(app, { module, ...JSON.parse(process.argv[2]) });
process.once('SIGTERM', () => worker.stop().then(() => app.close()));
await worker.start();
`;

describe('a task that takes the process of its worker down', () => {
  const cases = [
    ['async', 'crash.exit'],
    ['async', 'crash.timer'],
    ['async', 'crash.rejection'],
    ['async', 'crash.kill'],
    ['solo', 'crash.exit'],
  ] as const;
  for (const [pool, name] of cases) {
    it(`is counted and set aside: ${name} on ${pool}`, async () => {
      using space = new Workspace();
      await using client = new Client(space);
      const result = await client.app.sendTask(name);
      const start = () => space.start(['worker.mjs', JSON.stringify({ pool, maxDeliveries: 2 })]);
      for (let crash = 1; crash <= 2; crash++) {
        const { code, signal } = await start().ended;
        assert.notDeepEqual([code, signal], [0, null], `crash ${crash}`);
      }
      const last = start();
      await assert.rejects(result.get({ timeout: 30 }), WorkerLostError);
      last.kill('SIGTERM');
      assert.equal((await last.ended).code, 0);
      const [aside] = await (await client.app.broker()).quarantined();
      assert.equal(aside?.id, result.id);
    });
  }
});

it('a task whose message goes first is gone when it takes its worker down', async () => {
  using space = new Workspace();
  await using client = new Client(space);
  await client.app.sendTask('crash.early');
  assert.equal((await space.start(['worker.mjs', '{}']).ended).signal, 'SIGKILL');
  const [size] = await (await client.app.broker()).sizes(['celery']);
  assert.deepEqual([size!.waiting, size!.claimed], [0, 0]);
});

describe('a task that its worker has claimed and not begun', () => {
  it('is not counted when the worker is killed, also if it was claimed while the worker was blocked', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const start = () => space.start(['worker.mjs', '{"pool":"solo","prefetchMultiplier":20,"maxDeliveries":1}']);
    const hang = await client.app.sendTask('crash.hang');
    const fine = [];
    for (let n = 0; n < 3; n++) fine.push(await client.app.sendTask('crash.fine', [n]));
    const worker = start();
    await worker.says(/hanging/);
    fine.push(await client.app.sendTask('crash.fine', [3]));
    await client.sees((size) => size.claimed === 5);
    worker.kill('SIGKILL');
    await worker.ended;
    const last = start();
    assert.deepEqual(await Promise.all(fine.map((result) => result.get({ timeout: 30 }))), [0, 1, 2, 3]);
    await assert.rejects(hang.get({ timeout: 30 }), WorkerLostError);
    last.kill('SIGTERM');
    await last.ended;
  });

  it('is not counted while it waits for a slot of another pool', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const start = () => space.start(['worker.mjs', '{"maxDeliveries":1}']);
    const count = availableParallelism() + 3;
    for (let n = 0; n < count; n++) await client.app.sendTask('crash.threaded');
    const worker = start();
    await client.sees((size) => size.claimed === count);
    // Begun after what came before it.
    await (await client.app.sendTask('crash.fine', [7])).get({ timeout: 30 });
    worker.kill('SIGKILL');
    await worker.ended;
    const consumer = await (await client.app.broker()).consume({ queues: ['celery'], lease: 30, hostname: 'test' });
    const deliveries: Delivery[] = [];
    while (deliveries.length < count) deliveries.push(...(await consumer.receive(count)));
    assert.deepEqual(
      deliveries.map((delivery) => delivery.deliveries),
      deliveries.map((_, i) => (i < count - 3 ? 2 : 1)),
    );
  });
});

/** A client of the workspace's embedded broker, in this process. */
class Client implements AsyncDisposable {
  readonly app: Simul;

  constructor(space: Workspace) {
    space.write('app.mjs', app);
    space.write('worker.mjs', worker);
    this.app = new Simul('crash', { broker: `sqlite://${space.path}/.simul/simul.db` });
  }

  /** Resolves when the queue's size is as wanted. */
  async sees(wanted: (size: QueueSize) => boolean): Promise<void> {
    const broker = await this.app.broker();
    while (!wanted((await broker.sizes(['celery']))[0]!)) await new Promise(setImmediate);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }
}
