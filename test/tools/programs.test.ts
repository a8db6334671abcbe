import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { UnsupportedError } from '../../src/base/errors.ts';
import { onPath, program, provide, pythonWith } from '../../tools/programs.ts';

test('a program is the first executable of its name on the path', () => {
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'path-')));
  try {
    for (const folder of folders) writeFileSync(join(folder, 'tool'), '');
    chmodSync(join(folders[1]!, 'tool'), 0o755);
    assert.equal(onPath('tool', folders.join(delimiter)), join(folders[1]!, 'tool'));
    assert.equal(onPath('other', folders.join(delimiter)), undefined);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
});

test('what has no recipe is refused with the file to look at', () => {
  for (const ask of [() => program('unicorn'), () => pythonWith('unicorn'), () => provide('unicorn')]) {
    assert.throws(
      ask,
      (error: unknown) => error instanceof UnsupportedError && /unicorn.*|tools\/programs/.test(error.message),
    );
  }
});

test('Python is found', () => {
  assert.match(program('python3'), /python3$/);
});
