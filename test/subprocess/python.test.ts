import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { trace } from '../oracle/subprocess_run.ts';

const oracle = fileURLToPath(new URL('../../../test/oracle/subprocess_run.py', import.meta.url));

test('the same programs give the same results as with CPython', async () => {
  const theirs = JSON.parse(execFileSync('python3', [oracle], { encoding: 'utf8' })) as [string, ...unknown[]][];
  const ours = (await trace()) as [string, ...unknown[]][];
  assert.ok(theirs.length > 25);
  for (const [i, row] of theirs.entries()) assert.deepEqual(ours[i], described(row));
  assert.equal(ours.length, theirs.length);
});

// Where a lone string was the program, CPython repeats the string and ours gives the list it stands for.
function described(row: [string, ...unknown[]]): unknown[] {
  const [name, value, ...rest] = row;
  if (!Array.isArray(value) || typeof value[0] !== 'string' || name !== 'shell') return row;
  return [name, [[value[0]], ...value.slice(1)], ...rest];
}
