import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';

const run = promisify(execFile);

test('threading, queue and multiprocessing answer as CPython’s do, call by call', async () => {
  const [theirs, ours] = await Promise.all([
    run(program('python3'), ['-B', join(repository, 'test/oracle/shared_objects.py')]),
    run(process.execPath, [join(repository, 'dist/test/oracle/shared_objects.js')]),
  ]);
  assert.equal(theirs.stdout.split('\n').length, 238);
  assert.deepEqual(ours.stdout.split('\n'), theirs.stdout.split('\n'));
});
