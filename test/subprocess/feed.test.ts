import assert from 'node:assert/strict';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import * as sp from '../../src/entry/subprocess.ts';
import { reap } from '../../src/os/reap.ts';
import { getrlimit, setrlimit } from '../../src/os/rlimit.ts';

const linux = { skip: process.platform !== 'linux' && 'Linux only' };
const { run } = sp;
const captured = { captureOutput: true, text: true } as const;

test('a source that fails or is destroyed fails the run, whatever code its error has', async () => {
  for (const [error, expected] of [
    [undefined, { name: 'BrokenError', message: /^input was destroyed/ }],
    [Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), { message: 'aborted' }],
    [Object.assign(new Error('elsewhere'), { code: 'EPIPE' }), { message: 'elsewhere' }],
  ] as const) {
    const source = new PassThrough();
    const child = new sp.Popen(['cat'], { stdin: sp.PIPE, stdout: sp.PIPE });
    const talk = child.communicate({ input: source });
    source.write('partial\n');
    child.stdout!.once('data', () => source.destroy(error));
    await assert.rejects(talk, expected);
    child.kill();
    await child.wait();
    child.closePipes();
  }
  const source = new PassThrough();
  source.destroy();
  await assert.rejects(run(['cat'], { ...captured, input: source }), { name: 'BrokenError' });
});

test('input that stays open when the program has ended is let go', async () => {
  const source = new PassThrough();
  assert.equal((await run(['true'], { input: source })).returncode, 0);
  assert.equal(source.destroyed, true);
  async function* endless() {
    yield 'a\nb\n';
    await new Promise(() => {});
  }
  assert.equal((await run(['head', '-1'], { ...captured, input: endless() })).stdout, 'a\n');
});

test('what cannot be fed is refused by name, its kind before anything is started', async () => {
  const refused = { name: 'InvalidArgumentError', message: /^input: / };
  for (const input of [5, null, new ArrayBuffer(1), {}] as unknown as sp.Input[]) {
    await assert.rejects(run(['/no/such/program'], { input }), refused);
  }
  await assert.rejects(run(['cat'], { ...captured, input: [1, 2] as unknown as string[] }), refused);
});

test('encoding is for the input too', async () => {
  const bytes = async (encoding: string, input: string) =>
    (await run(['cat'], { input, captureOutput: true, encoding })).stdout;
  for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'iso-8859-15']) {
    assert.equal(await bytes(encoding, 'hé'), 'hé');
    assert.equal(sp.runSync(['cat'], { input: 'hé', captureOutput: true, encoding }).stdout, 'hé');
  }
  const length = (await run(['wc', '-c'], { input: 'é', stdout: sp.PIPE, encoding: 'latin1' })).stdout;
  assert.equal(length.trim(), '1');
  await assert.rejects(run(['cat'], { input: '語', captureOutput: true, encoding: 'latin1' }), { name: 'EncodeError' });
});

test('a descendant that holds the pipes is ended by an abort and by too much output, when the program has ended', async () => {
  const controller = new AbortController();
  const child = new sp.Popen(['sh', '-c', 'sleep 60 & echo started'], { stdout: sp.PIPE, signal: controller.signal });
  const talk = child.communicate();
  assert.equal(await child.wait(), 0);
  controller.abort();
  await assert.rejects(talk, { name: 'CancelledError' });
  await assert.rejects(child.wait(), { name: 'CancelledError' });
  await assert.rejects(run(['sh', '-c', 'yes & exit 0'], { captureOutput: true, maxBuffer: 1e5 }), {
    name: 'FullError',
  });
});

test('wait after an abort that ended the program is a CancelledError', async () => {
  const controller = new AbortController();
  const child = new sp.Popen(['sleep', '60'], { signal: controller.signal });
  controller.abort();
  await child.ended;
  assert.equal(child.returncode, -9);
  await assert.rejects(child.wait(), { name: 'CancelledError' });
});

test('one signal for many programs makes no warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 12 }, () => run(['true'], { signal })));
  const child = new sp.Popen(['sleep', '0.1']);
  await Promise.all(Array.from({ length: 12 }, () => child.wait({ signal })));
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener('warning', note);
  assert.deepEqual(warnings, []);
});

test('without a descriptor for its end no program is started', linux, async () => {
  await run(['true']);
  const [soft, hard] = getrlimit('nofile');
  const held: number[] = [];
  setrlimit('nofile', [100, hard]);
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    // full
  }
  const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
  try {
    assert.throws(() => new sp.Popen(['sleep', '60']), { code: 'EMFILE' });
    assert.throws(() => sp.runSync(['sleep', '60']), { code: 'EMFILE' });
    held.splice(0).forEach((fd) => closeSync(fd));
    assert.equal(children(), '');
  } finally {
    held.forEach((fd) => closeSync(fd));
    setrlimit('nofile', [soft, hard]);
  }
});

test('a signal that is none, and other wrong options, are refused before the start', async () => {
  const refused = (name: string) => ({ name: 'InvalidArgumentError', message: new RegExp(`^${name}`) });
  for (const [name, value] of Object.entries({
    signal: {},
    stdout: null,
    env: null,
    passFds: 5,
    maxBuffer: -5,
  })) {
    await assert.rejects(run(['true'], { [name]: value }), refused(name));
  }
  await assert.rejects(run(['true'], { maxBuffer: -5 }), /bytes/);
  await assert.rejects(sp.runPipeline(['ls'] as unknown as sp.Stage[]), refused('stages'));
  await using child = new sp.Popen(['sleep', '60']);
  await assert.rejects(child.wait(null as never), refused('options'));
  await assert.rejects(child.communicate(5 as never), refused('options'));
  assert.throws(() => child.kill(null as never), refused('options'));
  assert.throws(() => new sp.Popen(['true'], 5 as never), refused('options'));
  assert.throws(() => child.kill({ signal: 'SIGFOO' as NodeJS.Signals }), refused('signal'));
  if (process.platform === 'linux') assert.doesNotMatch(readFileSync(`/proc/${child.pid}/stat`, 'utf8'), /\) T /);
});

test('one object, or one and more options, mean the same everywhere', async () => {
  assert.equal(await sp.call({ args: ['sh', '-c', 'exit 7'] }), 7);
  await assert.rejects(sp.checkCall({ args: ['false'] }), sp.CalledProcessError);
  assert.equal(await sp.checkOutput({ args: ['echo', 'x'], text: true }), 'x\n');
  const merged = await run({ args: ['echo', 'x'], captureOutput: true, text: true }, { text: true });
  assert.equal(merged.stdout, 'x\n');
  assert.equal(sp.callSync({ args: ['sh', '-c', 'exit 7'] }), 7);
  assert.throws(() => sp.checkCallSync({ args: ['false'] }), sp.CalledProcessError);
  assert.equal(sp.checkOutputSync({ args: ['echo', 'x'], text: true }), 'x\n');
});

test('the executable of a shell is its name too', async () => {
  const options = { ...captured, shell: true, executable: '/bin/sh' } as const;
  assert.equal((await run('echo $0', options)).stdout, '/bin/sh\n');
  const named = await run('tr "\\0" " " < /proc/$$/cmdline', { ...options, executable: '/usr/bin/sh' });
  if (process.platform === 'linux') assert.match(named.stdout, /^\/usr\/bin\/sh -c/);
});

test('nothing is sent to the number of a program that somebody else has waited for', linux, async (t) => {
  const child = new sp.Popen(['true']);
  reap(child.pid, 0);
  assert.equal(child.poll(), undefined);
  await assert.rejects(child.wait(), { name: 'BrokenError' });
  const { calls } = t.mock.method(process, 'kill', () => true).mock;
  child.terminate();
  assert.deepEqual(child.kill(), { pids: [], escaped: [] });
  child.kill({ tree: false });
  await child[Symbol.asyncDispose]();
  assert.equal(calls.length, 0);
});
