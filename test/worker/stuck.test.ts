// Threads that cannot be ended: native code in them blocks. Real processes, as such a thread holds up the end of its own.
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import type { Running } from '../support/command.ts';
import { Workspace } from '../support/command.ts';

const app = `
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Simul } from '{{simul}}';
if (isMainThread) process.on('exit', (code) => console.log('left with', code));
export const app = new Simul('stuck');
// Blocks its thread in native code, which terminate() does not end, until the test ends the shell.
const block = () => execFileSync('sh', ['-c', 'echo blocked $$; exec sleep 600 > /dev/null 2>&1'], { stdio: 'inherit' });
app.task('stuck.block', block);
app.task('stuck.blockOnce', (file) => {
  if (existsSync(file)) return [process.pid, performance.timeOrigin];
  writeFileSync(file, '');
  block();
});
app.task('stuck.until', async (file) => {
  console.log('waiting');
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
  return process.pid;
});
app.task('stuck.start', () => performance.timeOrigin);
`;

const embedded = `
import { Worker } from '{{simul}}';
import { app } from './app.mjs';
const worker = new Worker(app, { module: new URL('app.mjs', import.meta.url), pool: 'threads', concurrency: 1, loglevel: 'info' });
process.on('exit', (code) => console.log('exit handlers', code));
await worker.start();
console.log('started');
await worker.stopped;
await app.close();
`;

// A broker in memory carries remote control: `simul worker` and who commands it are in one program.
const commanded = `
import { existsSync } from 'node:fs';
// It has been run again.
if (existsSync('shutdown')) process.exit(3);
process.env.SIMUL_BROKER_URL = process.env.SIMUL_RESULT_BACKEND = 'memory://';
const { app } = await import('./app.mjs');
const { serve } = await import(new URL('../cli/serve.js', '{{simul}}'));
const { Mailbox } = await import(new URL('../tasks/control/mailbox.js', '{{simul}}'));
const until = async (file) => {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
};
const served = serve(app, new URL('app.mjs', import.meta.url), { pool: 'threads', concurrency: 2, loglevel: 'info' });
const blocked = await app.sendTask('stuck.block');
await app.sendTask('stuck.until', ['go']);
await until('revoke');
await blocked.revoke({ terminate: true });
await until('shutdown');
const mailbox = new Mailbox(await app.broker());
await mailbox.cast('shutdown');
// Once this is answered that has been heard.
await mailbox.call('ping', {}, { timeout: 0.5 });
console.log('told');
process.exitCode = await served;
`;

describe('a worker with a thread that cannot be ended', () => {
  it('says so, finishes what the others do, and runs its command again in the same process', async () => {
    using space = new Space();
    await using client = space.client();
    const worker = await space.worker('-A', 'app.mjs', '-P', 'threads', '-c', '2');
    const before = await (await client.sendTask('stuck.start')).get(wait);
    const blocked = await client.sendTask('stuck.block');
    const shell = await shellOf(worker);
    const other = await client.sendTask('stuck.until', [space.file('go')]);
    await worker.says(/waiting\n/);
    await blocked.revoke({ terminate: true });
    await worker.says(/thread \d+ cannot be ended.*takes no more tasks, ends those it has, and starts anew/);
    // Sent after that: it is for the new one.
    const later = await client.sendTask('stuck.start');
    space.write('go', '');
    assert.equal(await other.get(wait), worker.pid);
    await worker.says(/: ready\n[^]*simul: starting anew\n[^]*: ready\n/);
    assert.match(worker.stdout, /left with 75\n/);
    assert.notEqual(await later.get(wait), before);
    assert.equal(await (await client.sendTask('stuck.until', [space.file('go')])).get(wait), worker.pid);
    assert.equal(await blocked.status(), 'REVOKED');
    process.kill(shell, 'SIGKILL');
    // A child of what the process ran before is not left behind as a zombie of it.
    while (existsSync(`/proc/${shell}`)) await new Promise(setImmediate);
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
    assert.deepEqual(await (await client.broker()).quarantined(), []);
  });

  it('gives back what its other threads do not end in time, and the new one does it', async () => {
    using space = new Space();
    await using client = space.client();
    const worker = await space.worker('-A', 'app.mjs', '-P', 'threads', '-c', '2', '--drain-timeout', '0.2');
    const before = await (await client.sendTask('stuck.start')).get(wait);
    const blocked = await client.sendTask('stuck.block');
    const first = await shellOf(worker);
    const again = await client.sendTask('stuck.blockOnce', [space.file('once')]);
    await worker.says(/blocked \d+\n[^]*blocked \d+\n/);
    const [, second] = shellsOf(worker);
    await blocked.revoke({ terminate: true });
    const [pid, start] = (await again.get(wait)) as [number, number];
    assert.equal(pid, worker.pid);
    assert.notEqual(start, before);
    assert.match(worker.stderr, /1 tasks given back, the worker stops/);
    for (const shell of [first, second!]) process.kill(shell, 'SIGKILL');
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
    assert.deepEqual(await (await client.broker()).sizes(['celery']), [
      { queue: 'celery', waiting: 0, claimed: 0, delayed: 0 },
    ]);
  });

  it('ends with code 1 when its broker fails, whether it finds that before the thread or after', async () => {
    for (const found of ['before', 'after'] as const) {
      using space = new Space();
      await using client = space.client();
      const worker = await space.worker(
        '-A',
        'app.mjs',
        '-P',
        'threads',
        '-c',
        '2',
        '--drain-timeout',
        found === 'before' ? '0.2' : '5',
      );
      const blocked = await client.sendTask('stuck.block');
      const shell = await shellOf(worker);
      await client.sendTask('stuck.until', [space.file('go')]);
      await worker.says(/waiting\n/);
      if (found === 'after') {
        await blocked.revoke({ terminate: true });
        await worker.says(/takes no more tasks, ends those it has, and starts anew/);
      }
      rmSync(join(space.path, '.simul'), { recursive: true });
      space.write('go', '');
      const { code, stderr } = await worker.ended;
      process.kill(shell, 'SIGKILL');
      assert.equal(code, 1, stderr);
      assert.match(stderr, /simul: the worker stopped: .*removed or replaced/);
      assert.match(stderr, /thread \d+ cannot be ended/);
      assert.doesNotMatch(stderr, /simul: starting anew/);
    }
  });

  it('does not start anew when it is told from afar to shut down meanwhile', async () => {
    using space = new Space();
    space.write('commanded.mjs', commanded);
    const program = space.start(['commanded.mjs']);
    const shell = await shellOf(program);
    space.write('revoke', '');
    await program.says(/thread \d+ cannot be ended/);
    space.write('shutdown', '');
    await program.says(/told/);
    space.write('go', '');
    const { code, stderr } = await program.ended;
    process.kill(shell, 'SIGKILL');
    assert.doesNotMatch(stderr, /starting anew/);
    assert.equal(code, 0);
  });

  it('ends all the same when it is told to stop, twice', async () => {
    using space = new Space();
    await using client = space.client();
    const worker = await space.worker('-A', 'app.mjs', '-P', 'threads', '-c', '1');
    const blocked = await client.sendTask('stuck.block');
    const shell = await shellOf(worker);
    worker.kill('SIGTERM');
    await worker.says(/finishing the tasks under way/);
    worker.kill('SIGTERM');
    assert.deepEqual(await worker.ended.then(({ code, signal }) => [code, signal]), [143, null]);
    assert.match(worker.stderr, /thread \d+ cannot be ended, it is in native code that blocks\n/);
    process.kill(shell, 'SIGKILL');
    // Nobody revoked it: its message has gone back.
    assert.equal((await (await client.broker()).sizes(['celery']))[0]?.waiting, 1);
    assert.equal(await blocked.status(), 'PENDING');
  });

  it('ends its program with code 75 where it is a part of one', async () => {
    using space = new Space();
    await using client = space.client();
    space.write('embedded.mjs', embedded);
    const program = space.start(['embedded.mjs']);
    await program.says(/started/);
    const blocked = await client.sendTask('stuck.block');
    const shell = await shellOf(program);
    await blocked.revoke({ terminate: true });
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 75);
    assert.match(stdout, /exit handlers 75/);
    assert.match(stderr, /thread \d+ cannot be ended/);
    process.kill(shell, 'SIGKILL');
  });
});

const wait = { timeout: 30 };

class Space extends Workspace {
  constructor() {
    super();
    this.write('app.mjs', app);
  }

  client(): Simul {
    return new Simul('stuck', { broker: `sqlite://${this.path}/.simul/simul.db` });
  }

  file(name: string): string {
    return join(this.path, name);
  }
}

async function shellOf(program: Running): Promise<number> {
  await program.says(/blocked \d+\n/);
  return shellsOf(program)[0]!;
}

function shellsOf({ stdout }: Running): number[] {
  return [...stdout.matchAll(/blocked (\d+)\n/g)].map(([, pid]) => Number(pid));
}
