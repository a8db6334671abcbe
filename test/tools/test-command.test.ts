// The canary: the test command must fail for each of these planted faults, and say why.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileWithText } from '../support/file.ts';

const command = new URL('../../tools/test.js', import.meta.url).pathname;
const sleeper = 'setInterval(() => {}, 1000)';

const planted: Record<string, string> = {
  good: `test('fine', () => {}); test('later', { skip: 'planted' }, () => {});`,
  unhurried: `after(() => new Promise((done) => setTimeout(done, 1200))); test('fine', () => {});`,
  failing: `test('one', () => {}); test('two', () => { throw new Error('planted failure'); });`,
  throwing: `throw new Error('planted at the top');`,
  process: `test('leaks', () => { spawn(process.execPath, ['-e', ${JSON.stringify(sleeper)}], { detached: true, stdio: 'ignore' }).unref(); });`,
  scrubbed: `test('leaks', () => { spawn(process.execPath, ['-e', ${JSON.stringify(sleeper)}], { env: {}, stdio: 'ignore' }).unref(); });`,
  listener: `test('leaks', async () => {
    const child = spawn(process.execPath, ['-e', 'net.createServer().listen(0, "127.0.0.1", () => process.send("up"))'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    await new Promise((done) => child.once('message', done));
    child.disconnect(); child.unref();
  });`,
  file: `test('leaves a file', () => { fs.writeFileSync(os.tmpdir() + '/planted.txt', ''); });`,
  folder: `test('removes its folder', () => { fs.rmSync(os.tmpdir(), { recursive: true }); });`,
  everything: `test('removes what it can find', () => { fs.rmSync(path.dirname(os.tmpdir()), { recursive: true }); });`,
  segment: `test('leaves a segment', () => { fs.writeFileSync(process.env.PLANTED_SHARED + '/simul-planted', ''); });`,
  handle: `test('leaves a timer', () => { setInterval(() => {}, 1000); });`,
  hanging: `test('never ends', () => new Promise(() => setInterval(() => {}, 1000)));`,
  spinning: `test('spins', () => { for (;;); });`,
  warning: `test('warns', () => { process.emitWarning('planted warning'); });`,
  quitting: `test('quits', () => { process.exit(0); }); test('never runs', () => {});`,
  empty: ``,
};

const folder = mkdtempSync(join(tmpdir(), 'canary-'));
const shared = join(folder, 'shared');
interface Report {
  readonly faults: readonly string[];
  readonly results: readonly { name: string; passed: number; failed: number; faults: string[] }[];
}

let results: Map<string, Report['results'][number]>;
let report: Report;
let run: Awaited<ReturnType<typeof testCommand>>;
let hungRun: typeof run;

// Only what hangs gets a short deadline: on a busy machine the others may take a while.
const hanging = new Set(['hanging', 'spinning']);

before(async () => {
  mkdirSync(shared);
  for (const [name, body] of Object.entries(planted)) plant(hanging.has(name) ? 'hanging' : 'all', name, body);
  const [first, second] = await Promise.all([
    reported('all', '--deadline', '100', '--linger', '2'),
    reported('hanging', '--deadline', '5'),
  ]);
  ({ run, report } = first);
  hungRun = second.run;
  results = new Map([...report.results, ...second.report.results].map((result) => [result.name, result]));
});

after(() => rmSync(folder, { recursive: true }));

test('it runs every file, fails, and ends with the counts', () => {
  assert.deepEqual([run.code, hungRun.code], [1, 1]);
  assert.deepEqual([...results.keys()].sort(), Object.keys(planted).sort());
  let [passed, failed] = [0, report.faults.length];
  for (const result of report.results) {
    passed += result.passed;
    failed += result.failed;
  }
  assert.equal(run.stdout.trimEnd().split('\n').at(-1), `${passed} passed, ${failed} failed, 1 skipped`);
});

test('a file without a fault passes, its skipped test is named', () => {
  assert.deepEqual(pick('good'), { passed: 1, failed: 0, faults: [] });
  assert.match(run.stdout, /^skipped: good: later: planted$/m);
});

test('a file may take its time after its last test', () => {
  assert.deepEqual(pick('unhurried'), { passed: 1, failed: 0, faults: [] });
});

test('a failing test is shown in full', () => {
  assert.deepEqual(pick('failing'), { passed: 1, failed: 1, faults: [] });
  assert.match(run.stdout, /planted failure/);
});

for (const [name, fault] of Object.entries({
  process: /^left a process: \d+ .*setInterval/,
  scrubbed: /^left a process: \d+ .*setInterval/,
  listener: /^left a process: \d+ .*, listening on tcp port \d+$/,
  file: /^left a temporary file: planted\.txt$/,
  folder: /^removed the temporary folder/,
  everything: /^removed the temporary folder/,
  handle: /^did not end after its last test, so it leaked a handle: .*Timeout/,
  hanging: /^killed after 5 s; not finished: never ends$/,
  spinning: /^killed after 5 s; not finished: /,
  warning: /^warned: \(node:\d+\) Warning: planted warning$/,
  quitting: /ended before its tests did/,
  empty: /^has no test/,
})) {
  test(`a planted fault is found: ${name}`, () => {
    const { failed, faults } = results.get(name)!;
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0]!, fault);
    assert.equal(failed, 1);
    assert.ok(`${run.stdout}${hungRun.stdout}`.includes(`FAILED: ${faults[0]}`));
  });
}

test('a segment that nobody holds any more is found, with the file that ran when it was made', () => {
  assert.equal(report.faults.length, 1);
  assert.match(report.faults[0]!, /^left a shared segment: .*simul-planted \(made while .*\bsegment\b.* ran\)$/);
});

test('a file that cannot be loaded fails', () => {
  assert.ok(results.get('throwing')!.failed > 0);
  assert.match(run.stdout, /planted at the top/);
});

test('leaked processes are ended', () => {
  const pids = [...run.stdout.matchAll(/left a process: (\d+)/g)].map((match) => match[1]!);
  assert.equal(new Set(pids).size, 3);
  for (const pid of pids) assert.equal(isRunning(pid), false, `process ${pid} is still there`);
});

test('a run without faults passes', async () => {
  plant('clean', 'good', planted['good']!);
  const { code, stdout } = await testCommand('clean');
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '1 passed, 0 failed, 1 skipped');
});

test('a run in which nothing was executed fails', async () => {
  const { code, stdout } = await testCommand('clean', 'no-such-file');
  assert.equal(code, 1);
  assert.match(stdout, /no test was executed\n0 passed, 1 failed\n$/);
});

test('an interrupted run ends its files and fails', async () => {
  plant('interrupted', 'hanging', `console.log('up'); ${planted['hanging']!}`);
  const marker = join(folder, 'up');
  plant(
    'interrupted',
    'marked',
    `test('x', () => { fs.writeFileSync(${JSON.stringify(marker)}, String(process.pid)); return new Promise(() => setInterval(() => {}, 1000)); });`,
  );
  const { code, stdout } = await testCommand('interrupted', '--interrupt-when', marker);
  assert.equal(code, 1);
  assert.match(stdout, /FAILED: interrupted/);
  assert.equal(isRunning(readFileSync(marker, 'utf8')), false);
});

test('wrong use is told on stderr with exit code 2', async () => {
  const { code, stderr } = await testCommand('clean', '--no-such-option');
  assert.equal(code, 2);
  assert.match(stderr, /Usage: npm test/);
});

function pick(name: string) {
  const { passed, failed, faults } = results.get(name)!;
  return { passed, failed, faults };
}

function plant(root: string, name: string, body: string): void {
  mkdirSync(join(folder, root), { recursive: true });
  writeFileSync(join(folder, root, 'package.json'), '{"type":"module"}');
  const imports = `import { after, test } from 'node:test'; import { spawn } from 'node:child_process'; import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path';`;
  writeFileSync(join(folder, root, `${name}.test.js`), `${imports}\n${body}`);
}

function isRunning(pid: string): boolean {
  try {
    // A zombie that nobody reaped yet has no command line.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

async function reported(root: string, ...args: string[]) {
  const json = join(folder, `${root}.json`);
  const run = await testCommand(root, '--json', json, ...args);
  return { run, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

async function testCommand(root: string, ...args: string[]) {
  const watched = args[0] === '--interrupt-when' ? args.splice(0, 2)[1]! : undefined;
  const child = spawn(process.execPath, [command, '--root', join(folder, root), '--shared', shared, ...args], {
    env: { ...process.env, PLANTED_SHARED: shared },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  if (watched !== undefined) {
    await fileWithText(watched);
    child.kill('SIGINT');
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}
