import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Running, Workspace } from '../support/command.ts';

const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('shop');
app.task('shop.add', (x, y) => x + y);
app.task('shop.echo', (value, options) => [value, options]);
app.task('shop.boom', () => { throw new RangeError('no'); });
app.task('shop.odd', () => ({ nan: NaN, far: [-Infinity], big: 2n ** 64n, day: new Date(0), text: 'ñ' }));
`;

const typescript = `
import { Simul } from '{{simul}}';
class Disposer implements Disposable { static closed = 0; [Symbol.dispose](): void { Disposer.closed++; } }
const enum Never { x = 1 }
export const app: Simul = new Simul('typed');
export const add = app.task('typed.add', (x: number, y: number): number => { { using d = new Disposer(); void d; } return x + y + Disposer.closed; });
`;

describe('the command line', () => {
  const space = new Workspace();
  let worker: Running;

  before(async () => {
    space.write('app.mjs', app);
    worker = await space.worker('-A', 'app.mjs', '-l', 'info');
  });

  after(async () => {
    worker.kill('SIGTERM');
    await worker.ended;
    space[Symbol.dispose]();
  });

  it('calls a task and prints one JSON object', async () => {
    const { code, stdout } = await space.simul('call', 'shop.add', '2', '3', '-A', 'app.mjs', '--wait', '--json');
    const { id, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([code, rest], [0, { state: 'SUCCESS', result: 5 }]);
    assert.match(String(id), /^[0-9a-f-]{36}$/);
  });

  it('prints the bare result without --json, and takes text, JSON and keyword arguments', async () => {
    assert.equal((await space.simul('call', 'shop.add', '2', '3', '--wait')).stdout, '5\n');
    const args = ['call', 'shop.echo', '{"a": [1]}', '--kwargs', '{"options": "text"}', '--wait'];
    assert.equal((await space.simul(...args)).stdout, '[{"a": [1]}, "text"]\n');
    assert.equal((await space.simul('call', 'shop.echo', 'plain text', '1', '--wait')).stdout, '["plain text", 1]\n');
  });

  it('exits with 1 for a task that fails, and says why', async () => {
    const json = await space.simul('call', 'shop.boom', '--wait', '--json');
    const { state, error } = JSON.parse(json.stdout) as Record<string, unknown>;
    assert.deepEqual([json.code, state, error], [1, 'FAILURE', { type: 'RangeError', message: 'no' }]);
    const plain = await space.simul('call', 'shop.boom', '--wait');
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /^RangeError: no\n {4}at .*app\.mjs:\d+:\d+\)?\n$/, "the user's frames and no others");
  });

  it('writes standard JSON, whatever a task gives', async () => {
    const odd = { nan: null, far: [null], day: { __type__: 'datetime', __value__: '1970-01-01T00:00:00.000+00:00' } };
    const { stdout } = await space.simul('call', 'shop.odd', '--wait', '--json');
    const { id, result } = JSON.parse(stdout) as { id: string; result: object };
    assert.deepEqual(result, { ...odd, big: 2 ** 64, text: 'ñ' });
    for (const args of [
      ['call', 'shop.odd', '--wait'],
      ['result', id],
      ['result', id, '--wait'],
    ]) {
      const plain = await space.simul(...args);
      assert.equal(plain.code, 0);
      assert.match(plain.stdout, /"big": 18446744073709551616, .*"text": "ñ"/);
    }
  });

  it('runs a task again that is sent again with the id of one that has ended', async () => {
    assert.equal((await space.simul('call', 'shop.echo', 'one', '1', '--id', 'again', '--wait')).code, 0);
    await space.simul('call', 'shop.echo', 'two', '2', '--id', 'again');
    await worker.says(/shop\.echo\[again\] succeeded[^]*shop\.echo\[again\] succeeded/);
  });

  it('shows a result later, waits for it, and forgets it', async () => {
    const id = (await space.simul('call', 'shop.add', '20', '22')).stdout.trim();
    assert.equal((await space.simul('result', id, '--wait')).stdout, '42\n');
    assert.equal((await space.simul('result', id, '--forget')).stdout, 'SUCCESS 42\n');
    assert.deepEqual(JSON.parse((await space.simul('result', id, '--json')).stdout), {
      id,
      state: 'PENDING',
      result: null,
    });
  });

  it('gives up waiting after --timeout, with one line', async () => {
    const { code, stderr } = await space.simul('call', 'x.y', '-q', 'nobody', '--wait', '--timeout', '0.1');
    assert.equal(code, 1);
    assert.match(stderr, /^simul: task [0-9a-f-]{36} has not ended after 0\.1 s; it goes on\n$/);
    assert.equal(
      (await space.simul('purge', '-Q', 'nobody', '--force', '--json')).stdout,
      '{"deleted": {"nobody": 1}}\n',
    );
  });

  it('shows what was set aside', async () => {
    await space.simul('call', 'no.such.task', '--wait');
    const status = JSON.parse((await space.simul('status', '--json')).stdout) as { quarantine: { reason: string }[] };
    assert.match(status.quarantine[0]?.reason ?? '', /no task is registered as 'no.such.task'/);
    assert.match((await space.simul('status', '--quarantine')).stdout, /set aside: 1\n[\s\S]*no\.such\.task/);
  });

  it('runs tasks of a TypeScript module, on threads too', async () => {
    space.write('typed.ts', typescript);
    const flags = ['-A', 'typed.ts', '--broker', 'sqlite:typed.db'];
    const threads = await space.worker(...flags, '-P', 'threads', '-c', '2');
    const { stdout } = await space.simul('call', 'typed.add', '1', '2', ...flags, '--wait');
    threads.kill('SIGTERM');
    assert.equal((await threads.ended).code, 0);
    assert.equal(stdout, '4\n');
  });

  it('brings everything up with one command', async () => {
    const up = space.start([
      new URL('../../src/cli/main.js', import.meta.url).pathname,
      'up',
      '-A',
      'app.mjs',
      '-b',
      'sqlite:up.db',
    ]);
    await up.says(/ready/);
    assert.equal((await space.simul('call', 'shop.add', '1', '1', '-b', 'sqlite:up.db', '--wait')).stdout, '2\n');
    up.kill('SIGINT');
    assert.equal((await up.ended).code, 0);
  });

  it('examines the machine', async () => {
    const { code, stdout } = await space.simul('doctor', '--json');
    const report = JSON.parse(stdout) as { ok: boolean; findings: { tier: string; part: string; state: string }[] };
    assert.deepEqual([code, report.ok], [0, true]);
    const tiers = ['runtime', 'inline', 'event loop', 'thread', 'process', 'system', 'fleet'];
    assert.deepEqual([...new Set(report.findings.map(({ tier }) => tier))], tiers);
    const required = report.findings.filter(({ tier, part }) => tier !== 'system' && !/redis|\.simul/.test(part));
    assert.match(
      required.map(({ part }) => part).join(),
      /^node,.*a call,asyncio,worker thread,.*,memory:\/\/,sqlite:\/\/$/,
    );
    assert.ok(required.every(({ state }) => state === 'ok'));
    if (process.platform !== 'linux') return;
    assert.ok(report.findings.every(({ tier, state }) => tier !== 'system' || state === 'ok'));
    assert.match(stdout, /"tier 1: shared memory and futexes"/);
  });

  it('tells the tier of queues and locks without libc', async () => {
    process.env['SIMUL_FFI'] = '0';
    try {
      const { code, stdout } = await space.simul('doctor');
      assert.equal(code, 0);
      assert.match(stdout, /queues and locks +missing +tier 2: queues and pipes over sockets/);
    } finally {
      delete process.env['SIMUL_FFI'];
    }
  });
});
