// The suites of processes again, at full size: 500 forks that each work, 1,000 siblings, 10,000 programs, 64 MB, 10,000
// signals. A file of its own, because it takes minutes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'node:test';

const suites = ['os/fork', 'os/pipe', 'os/fifo', 'os/poll', 'signal/signal', 'subprocess/popen'];

for (const suite of suites) {
  test(`${suite}, at full size`, async () => {
    const file = fileURLToPath(new URL(`../${suite}.test.js`, import.meta.url));
    const env = { ...process.env, SIMUL_LONG: '1', NODE_TEST_CONTEXT: undefined };
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      env,
      maxBuffer: 2 ** 26,
      timeout: 900_000,
    });
    assert.match(stdout, /^(?:# |ℹ )fail 0$/m);
  });
}
