import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { program } from '../../tools/programs.ts';
import { program as run } from '../fixtures/program.ts';

/** Runs `NAME.py` by CPython and `NAME.ts` by this Node, both of which print a line of JSON for each case. */
export async function compareWithPython(name: string, cases: number): Promise<void> {
  const script = fileURLToPath(new URL(`../../../test/oracle/${name}.py`, import.meta.url));
  const [{ stdout: theirs }, ours] = await Promise.all([
    promisify(execFile)(program('python3'), ['-B', script], { timeout: 60_000 }),
    run(`../oracle/${name}`, [], { fork: true }),
  ]);
  assert.equal(ours.stderr, '');
  const expected = rows(theirs);
  assert.equal(expected.length, cases);
  for (const [i, row] of rows(ours.stdout).entries()) assert.deepEqual(row, expected[i]);
  assert.equal(rows(ours.stdout).length, cases);
}

function rows(text: string): unknown[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
