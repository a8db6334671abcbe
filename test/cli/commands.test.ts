import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Running, Workspace } from '../support/command.ts';

const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('shop');
app.task('shop.add', (x, y) => x + y);
app.task('shop.echo', (value, options) => [value, options]);
app.task('shop.boom', () => { throw new RangeError('no'); });
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
    assert.equal((await space.simul(...args)).stdout, '[{"a":[1]},"text"]\n');
    assert.equal((await space.simul('call', 'shop.echo', 'plain text', '1', '--wait')).stdout, '["plain text",1]\n');
  });

  it('exits with 1 for a task that fails, and says why', async () => {
    const json = await space.simul('call', 'shop.boom', '--wait', '--json');
    const { state, error } = JSON.parse(json.stdout) as Record<string, unknown>;
    assert.deepEqual([json.code, state, error], [1, 'FAILURE', { type: 'RangeError', message: 'no' }]);
    const plain = await space.simul('call', 'shop.boom', '--wait');
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /RangeError: no\n/);
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
    const report = JSON.parse(stdout) as { ok: boolean; findings: { part: string; state: string }[] };
    assert.deepEqual([code, report.ok], [0, true]);
    assert.ok(report.findings.some(({ part, state }) => part === 'sqlite://' && state === 'ok'));
  });
});

describe('wrong use', () => {
  const cases: [string[], RegExp][] = [
    [[], /Usage: simul/],
    [['fly'], /unknown command 'fly'/],
    [['call'], /missing required argument 'name'/],
    [['worker', '-c', 'many'], /argument 'many' is invalid. An integer/],
    [['worker'], /name the module that exports the app: -A/],
    [['up', '-b', 'memory://'], /name the module/],
    [['worker', '-P', 'cloud', '-A', 'app.mjs'], /pool: expected one of/],
    [['worker', '--frobnicate'], /unknown option '--frobnicate'/],
    [['worker', '-A', 'missing.mjs'], /-A missing\.mjs: there is no such file/],
    [['worker', '-A', 'empty.mjs'], /-A empty\.mjs: the module exports no app/],
    [['call', 'no.task', '-A', 'app.mjs'], /app\.mjs has no task "no\.task"; it has: shop\.add/],
    [['call', 'shop.add', '--kwargs', '[1]'], /A JSON object is expected/],
    [['call', 'shop.add', '--priority', '11', '-b', 'memory://'], /priority: expected an integer from 0 to 9/],
    [['status', '-b', 'carrier://pigeon'], /broker: expected a URL that begins with .*"carrier:\/\/pigeon"/],
    [['purge'], /say --force/],
  ];
  for (const [args, message] of cases) {
    it(`simul ${args.join(' ')}: tells on standard error and exits with 2`, async () => {
      using space = new Workspace();
      space.write('app.mjs', app);
      space.write('empty.mjs', 'export const nothing = 1;');
      const { code, stdout, stderr } = await space.simul(...args);
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [2, '']);
    });
  }

  it('a module that throws, or does not parse, is one clear line', async () => {
    using space = new Workspace();
    space.write('throws.mjs', 'throw new Error("not today");');
    space.write('broken.ts', 'const x: = 1;');
    const throws = await space.simul('worker', '-A', 'throws.mjs');
    assert.deepEqual([throws.code, throws.stderr], [1, 'simul: not today\n']);
    const broken = await space.simul('worker', '-A', 'broken.ts');
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /broken\.ts:1:10: Unexpected/);
  });

  it('help is asked for, so it succeeds', async () => {
    using space = new Workspace();
    for (const args of [['--help'], ['worker', '--help']]) {
      const { code, stdout } = await space.simul(...args);
      assert.equal(code, 0);
      assert.match(stdout, /Usage: simul/);
    }
    assert.match((await space.simul('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
