import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';

// Each pair is the same program, for CPython and for us, in virtual time on both sides; the traces must be equal.
const source = join(repository, 'test/oracle');
const compiled = join(repository, 'dist/test/oracle');
const names = readdirSync(source)
  .filter((file) => file.startsWith('asyncio-') && file.endsWith('.py'))
  .map((file) => file.slice(0, -'.py'.length));

const run = promisify(execFile);

describe('the same program as CPython gives the same trace', () => {
  it('in seven areas', () => assert.equal(names.length, 7));

  for (const name of names) {
    it(name, async () => {
      const [theirs, ours] = await Promise.all([
        run(program('python3'), ['-B', join(source, `${name}.py`)]),
        run(process.execPath, [join(compiled, `${name}.js`)]),
      ]);
      assert.deepEqual(scenarios(ours.stdout), scenarios(theirs.stdout));
    });
  }
});

/** The trace of each scenario; their titles differ in spelling only. */
function scenarios(output: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of output.trim().split('\n')) {
    if (line.startsWith('# ')) found.set(line.slice(2).replaceAll('_', '').toLowerCase(), (lines = []));
    else lines.push(line);
  }
  return found;
}
