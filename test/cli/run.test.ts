import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { PIPE, Popen, run } from '../../src/entry/subprocess.ts';

const skip = process.platform !== 'linux' && 'fork is for Linux';
const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const script = fileURLToPath(new URL('../fixtures/os/forking-script.js', import.meta.url));
const typescript = fileURLToPath(new URL('../../../test/fixtures/os/forking-script.ts', import.meta.url));

test('simul run starts a script that can fork, with its arguments and its exit code', { skip }, async () => {
  for (const [path, ...args] of [[script], [script, 'a', '--b', '-h'], [typescript, '--json']]) {
    const done = await run([process.execPath, main, 'run', path!, ...args], {
      captureOutput: true,
      text: true,
      timeout: 60,
    });
    assert.equal(done.stderr, '');
    assert.deepEqual(JSON.parse(done.stdout), [7, ...args]);
    assert.equal(done.returncode, 3);
  }
});

test("the process is the script's own: death by a signal, signals to it, standard streams", { skip }, async () => {
  const died = await run([process.execPath, main, 'run', script, 'die'], { captureOutput: true, timeout: 60 });
  assert.equal(died.returncode, -9);
  await using child = new Popen([process.execPath, main, 'run', script, 'listen'], { stdout: PIPE });
  const heard: string[] = [];
  for await (const line of child.lines()) {
    heard.push(line);
    if (line === 'ready') child.sendSignal('SIGUSR1');
  }
  assert.deepEqual(heard.slice(-2), ['ready', `SIGUSR1 ${child.pid}`]);
  assert.equal(await child.wait({ timeout: 60 }), 0);
});

test('a script that is not there is one line', { skip }, async () => {
  const missing = await run([process.execPath, main, 'run', 'no-such.js'], {
    captureOutput: true,
    text: true,
    timeout: 60,
  });
  assert.notEqual(missing.returncode, 0);
  assert.match(missing.stderr, /^simul: run no-such\.js: there is no such file\n/);
  assert.doesNotMatch(missing.stderr, /^ +at /m);
});
