import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { run } from '../../src/entry/subprocess.ts';

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

test('death by a signal is 128 and its number, as in a shell; a script that is not there fails', { skip }, async () => {
  const died = await run([process.execPath, main, 'run', script, 'die'], { captureOutput: true, timeout: 60 });
  assert.equal(died.returncode, 137);
  const missing = await run([process.execPath, main, 'run', 'no-such.js'], {
    captureOutput: true,
    text: true,
    timeout: 60,
  });
  assert.notEqual(missing.returncode, 0);
  assert.match(missing.stderr, /no-such\.js/);
});
