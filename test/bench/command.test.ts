import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const main = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function bench(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 30_000 });
}

test('--list names the areas', () => {
  const { status, stdout } = bench('--list');
  assert.equal(status, 0);
  assert.ok(stdout.split('\n').includes('queue-sqlite'), stdout);
});

for (const [args, why] of [
  [['nonsense'], /unknown area nonsense; there are: .*queue-sqlite/],
  [[], /which area\?/],
  [['queue-sqlite', '--runs', '2'], /--runs: expected a whole number of at least 3, received 2/],
  [['queue-sqlite', '--fast'], /'--fast'/],
] as const) {
  test(`wrong use ends with the usage and exit 2: ${args.join(' ') || '(nothing)'}`, () => {
    const { status, stdout, stderr } = bench(...args);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, why);
    assert.match(stderr, /usage: npm run bench/);
  });
}
