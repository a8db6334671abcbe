import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';

const run = promisify(execFile);

const pairs = [
  ['futures', 'concurrent.futures', 111],
  ['pool', 'multiprocessing’s Pool and ThreadPool', 87],
] as const;

for (const [name, what, lines] of pairs) {
  test(`threads and processes answer as CPython’s ${what}, call by call`, async () => {
    const [theirs, ours] = await Promise.all([
      run(program('python3'), ['-B', join(repository, `test/oracle/${name}.py`)]),
      run(process.execPath, [join(repository, `dist/test/oracle/${name}.js`)]),
    ]);
    assert.equal(theirs.stdout.split('\n').length, lines);
    assert.deepEqual(ours.stdout.split('\n'), theirs.stdout.split('\n'));
  });
}
