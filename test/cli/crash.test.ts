import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import { Workspace } from '../support/command.ts';

const wait = { timeout: 30 };

// Each run leaves a line of its own, written in one call, so that runs can be counted after any crash.
const app = `
import { appendFileSync } from 'node:fs';
import { Simul } from '{{simul}}';
export const app = new Simul('crash');
app.task('crash.step', async (n, pause) => {
  appendFileSync('runs.log', 'start ' + n + '\\n');
  await new Promise((resolve) => setTimeout(resolve, pause));
  appendFileSync('runs.log', 'end ' + n + '\\n');
  return n;
});
app.task('crash.again', { bind: true }, (ctx) => ctx.deliveryInfo.redelivered ? 'run again' : new Promise(() => {}));
app.task('crash.unref', () => new Promise((resolve) => setTimeout(resolve, 500, 'waited').unref()));
app.task('crash.spin', () => { appendFileSync('runs.log', 'pid ' + process.pid + '\\n'); for (;;); });
app.task('crash.block', (ms) => { const end = Date.now() + ms; while (Date.now() < end); return 'unblocked'; });
`;

describe('SIGTERM', () => {
  it('once: what runs is finished, exit code 0', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const worker = await space.worker('-A', 'app.mjs', '-l', 'info');
    const result = await client.app.sendTask('crash.step', [1, 300]);
    await worker.says(/received/);
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
    assert.equal(await result.get(wait), 1);
  });

  it('once: also a task that waits for something unref’ed is finished', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const worker = await space.worker('-A', 'app.mjs', '-l', 'info');
    const result = await client.app.sendTask('crash.unref');
    await worker.says(/received/);
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
    assert.equal(await result.get(wait), 'waited');
  });

  it('while it starts: exit code 0, and nothing more is said', async () => {
    using space = new Workspace();
    space.write(
      'slow.mjs',
      `import { writeSync } from 'node:fs';
       import { isMainThread } from 'node:worker_threads';
       import { Simul } from '{{simul}}';
       if (!isMainThread) {
         writeSync(2, 'a thread imports\\n');
         await new Promise((resolve) => setTimeout(resolve, 100));
       }
       export const app = new Simul('slow');
       app.task('slow.task', () => 1);`,
    );
    const worker = space.start([space.program, 'worker', '-A', 'slow.mjs', '-P', 'threads', '-c', '1', '--quiet']);
    await worker.says(/a thread imports/);
    worker.kill('SIGTERM');
    const { code, stderr } = await worker.ended;
    assert.deepEqual([code, stderr], [0, 'a thread imports\n']);
  });

  it('twice: what runs goes back to its queue, exit code 143', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const worker = await space.worker('-A', 'app.mjs', '-l', 'info');
    const result = await client.app.sendTask('crash.step', [1, 60_000]);
    await worker.says(/received/);
    worker.kill('SIGTERM');
    await worker.says(/finishing/);
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 143);
    assert.equal(await result.status(), 'PENDING');
    assert.equal((await (await client.app.broker()).sizes(['celery']))[0]?.waiting, 1);
  });
});

describe('a task that blocks the event loop for ever', () => {
  // A process that was told to reset its handler no longer catches the signal once it has been delivered.
  const catches = (pid: number): boolean => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
    return ((BigInt(`0x${caught}`) >> BigInt(constants.signals.SIGTERM - 1)) & 1n) === 1n;
  };

  it('SIGTERM twice ends the worker, and its message goes back', { skip: process.platform !== 'linux' }, async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const worker = await space.worker('-A', 'app.mjs', '-l', 'info');
    await client.app.sendTask('crash.spin');
    await contents(join(space.path, 'runs.log'));
    worker.kill('SIGTERM');
    while (catches(worker.pid)) await new Promise(setImmediate);
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).signal, 'SIGTERM');
    const broker = await client.app.broker();
    const consumer = await broker.consume({ queues: ['celery'], lease: 15, hostname: 'next' });
    const [back] = await consumer.receive(1);
    assert.equal(back!.redelivered, true);
    await consumer.close();
  });
});

describe('SIGKILL', () => {
  it('of the worker at any moment loses no task', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const count = 300;
    const step = client.app.task('crash.step', (n: number, pause: number) => n + pause);
    const results = await step.applyMany(Array.from({ length: count }, (_, n) => [n, n % 7]));
    for (let round = 0; round < 4; round++) {
      const worker = await space.worker('-A', 'app.mjs', '-c', '20', '-l', 'info');
      for (let line = 0; line <= round * 3; line++) await worker.says(new RegExp(`(?:succeeded[^]*){${line + 1}}`));
      worker.kill('SIGKILL');
      await worker.ended;
    }
    await space.worker('-A', 'app.mjs', '-c', '20');
    const values = await Promise.all(results.map((result) => result.get(wait)));
    assert.deepEqual(values, Array.from({ length: count }, (_, n) => n)); // prettier-ignore
  });

  it('of a producer right after its delay() resolved loses no task', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    space.write(
      'producer.mjs',
      `import { writeSync } from 'node:fs';
       import { Simul } from '{{simul}}';
       const app = new Simul('crash');
       for (let n = 0; n < 50; n++) writeSync(1, (await app.sendTask('crash.step', [n, 0])).id + '\\n');
       process.kill(process.pid, 'SIGKILL');`,
    );
    const producer = await space.start(['producer.mjs']).ended;
    assert.equal(producer.signal, 'SIGKILL');
    const ids = producer.stdout.trim().split('\n');
    await space.worker('-A', 'app.mjs');
    const values = await Promise.all(ids.map((id) => client.app.AsyncResult(id).get(wait)));
    assert.deepEqual(values, Array.from({ length: 50 }, (_, n) => n)); // prettier-ignore
  });

  it('of the worker gives its task to another within seconds, and the other runs it', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const first = await space.worker('-A', 'app.mjs', '-l', 'info');
    const result = await client.app.sendTask('crash.again');
    await first.says(/received/);
    const second = await space.worker('-A', 'app.mjs', '-l', 'info');
    first.kill('SIGKILL');
    assert.equal(await result.get(wait), 'run again');
    await second.says(/succeeded/);
  });
});

describe('a process of the pool that is busy in a loop', { skip: process.platform !== 'linux' }, () => {
  it('ends with its worker, killed or not', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const worker = await space.worker('-A', 'app.mjs', '-P', 'processes', '-c', '1', '-l', 'info');
    await client.app.sendTask('crash.spin');
    const pid = Number(/pid (\d+)/.exec(await contents(join(space.path, 'runs.log')))![1]);
    worker.kill('SIGKILL');
    await worker.ended;
    while (isAlive(pid)) await new Promise(setImmediate);
  });
});

describe('a worker whose event loop is blocked for longer than its lease', () => {
  it('keeps its task: another worker does not run it', async () => {
    using space = new Workspace();
    await using client = new Client(space);
    const first = await space.worker('-A', 'app.mjs', '-l', 'info', '--lease', '1');
    const result = await client.app.sendTask('crash.block', [3500]);
    await first.says(/received/);
    const second = await space.worker('-A', 'app.mjs', '-l', 'info', '--lease', '1');
    assert.equal(await result.get(wait), 'unblocked');
    await first.says(/succeeded/);
    assert.doesNotMatch(second.stderr, /received/);
  });
});

/** A client of the workspace's embedded broker, in this process. */
class Client implements AsyncDisposable {
  readonly app: Simul;

  constructor(space: Workspace) {
    space.write('app.mjs', app);
    this.app = new Simul('crash', { broker: `sqlite://${space.path}/.simul/simul.db` });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }
}

async function contents(path: string): Promise<string> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
  return readFileSync(path, 'utf8');
}

// A zombie is dead: only its parent has not looked yet.
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
