import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { makeDirectory } from '../../src/base/directory.ts';

const root = mkdtempSync(join(tmpdir(), 'directory-'));

after(() => rmSync(root, { recursive: true }));

it('makes what is missing, with its mode, and tells the topmost', () => {
  assert.equal(makeDirectory(join(root, 'a/b/c'), 0o700), join(root, 'a'));
  assert.equal(statSync(join(root, 'a/b')).mode & 0o777, 0o700);
  assert.equal(makeDirectory(join(root, 'a/b/c')), undefined);
  assert.equal(makeDirectory('/'), undefined);
});

it('fails where something else is in the way', () => {
  writeFileSync(join(root, 'file'), '');
  assert.throws(() => makeDirectory(join(root, 'file')), { code: 'EEXIST' });
  assert.throws(() => makeDirectory(join(root, 'file/x')), { code: 'ENOTDIR' });
});

it('fails where the kernel makes none, instead of trying for ever', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makeDirectory('/proc/no/such'), { code: 'ENOENT' });
});
