import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { before, describe, test } from 'node:test';
import { trace } from '../oracle/subprocess_run.ts';

const oracle = fileURLToPath(new URL('../../../test/oracle/subprocess_run.py', import.meta.url));

describe('the same programs give the same results as with CPython', () => {
  let theirs: [string, ...unknown[]][];
  before(() => {
    theirs = JSON.parse(execFileSync('python3', ['-B', oracle], { encoding: 'utf8' })) as typeof theirs;
  });
  for (const way of ['posix', 'node', 'blocking'] as const) {
    test(way, async () => {
      const ours = (await trace(way)) as [string, ...unknown[]][];
      assert.ok(theirs.length > 25);
      for (const [i, row] of theirs.entries()) assert.deepEqual(ours[i], described(row));
      assert.equal(ours.length, theirs.length);
    });
  }
});

// Where a lone string was the program, CPython repeats the string and ours gives the list it stands for.
function described(row: [string, ...unknown[]]): unknown[] {
  const [name, value, ...rest] = row;
  if (!Array.isArray(value) || typeof value[0] !== 'string' || name !== 'shell') return row;
  return [name, [[value[0]], ...value.slice(1)], ...rest];
}
