import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts';
import { moduleUrl } from '../../src/callable/location.ts';
import { describe, resolve } from '../../src/callable/reference.ts';
import { currentSignal, fromModule, isWorker, portable } from '../../src/entry/callable.ts';
import type * as functions from './functions.ts';
import { triple } from './functions.ts';

const url = new URL('./functions.js', import.meta.url);

test('a portable function is the function itself and is referred to by module and name', async () => {
  const fn = (x: number) => x + 1;
  assert.equal(portable(import.meta, 'plus', fn), fn);
  assert.deepEqual(describe(fn), { kind: 'portable', url: import.meta.url, name: 'plus' });
  assert.equal(await resolve(describe(fn)), fn);
  assert.equal(triple(2), 6);
  assert.deepEqual(structuredClone(describe(triple)), { kind: 'portable', url: url.href, name: 'triple' });
});

test('the name of a portable function is used once a module', () => {
  const fn = () => 1;
  portable(import.meta, 'once', fn);
  portable(import.meta, 'once', fn);
  assert.throws(() => portable(import.meta, 'once', () => 2), {
    code: 'SIMUL_INVALID_ARGUMENT',
    message: /^name: expected a name not yet used in file:.*, received "once"$/,
  });
});

test('a second instance of a module takes over its names', async () => {
  const first = portable({ ...import.meta }, 'twice loaded', () => 1);
  const second = portable({ ...import.meta }, 'twice loaded', () => 2);
  assert.deepEqual(describe(first), describe(second));
  assert.equal((await resolve(describe(first)))(), 2);
});

test('a module is named by import.meta, module, URL or absolute path', () => {
  const path = fileURLToPath(import.meta.url);
  const commonjs = { ...createRequire(import.meta.url).main, filename: path } as NodeModule;
  for (const where of [import.meta, commonjs, new URL(import.meta.url), import.meta.url, path]) {
    assert.equal(moduleUrl(where), pathToFileURL(path).href);
  }
  for (const where of ['./relative.js', 'https://example.org/x.js', {}, null, 3]) {
    assert.throws(() => moduleUrl(where as string), InvalidArgumentError);
  }
});

test('what is not a name or a function is refused', () => {
  assert.throws(() => portable(import.meta, '', () => 1), /name: expected a non-empty string/);
  assert.throws(() => portable(import.meta, 'x', 3 as unknown as () => void), /fn: expected a function, received 3/);
  assert.throws(() => fromModule(url, ''), /name: expected the name of an export/);
});

test('fromModule imports when called and runs inline', async () => {
  const { resize } = fromModule<typeof functions>(url);
  assert.equal(await resize('a', 3), 'a@3');
  assert.equal(await fromModule<typeof functions, 'resize'>(url, 'resize')('b', 4), 'b@4');
  assert.deepEqual(describe(resize), { kind: 'export', url: url.href, name: 'resize' });
});

test('the members of fromModule are not a promise, and are the same each time', async () => {
  const module = fromModule<typeof functions>(url);
  assert.equal(await Promise.resolve(module), module);
  assert.equal(module.resize, module.resize);
});

test('a missing export and a missing registration say what there is', async () => {
  const untyped = fromModule(url);
  await assert.rejects(untyped['nothing']!(), (error: Error) => {
    assert(error instanceof NotFoundError);
    assert.match(error.message, /functions\.js has no exported function "nothing"; its functions are: .*resize/);
    return true;
  });
  await assert.rejects(untyped['notAFunction']!(), /has no exported function "notAFunction"/);
  await assert.rejects(resolve({ kind: 'portable', url: url.href, name: 'nobody' }), {
    code: 'SIMUL_NOT_FOUND',
    message: /registered no portable function "nobody" \(registered: .*triple.*call portable at the top level/,
  });
  await assert.rejects(fromModule(new URL('./no-such-file.js', import.meta.url), 'x')(), /no-such-file\.js/);
});

test('outside of a call there is a signal that does not fire, and this is no worker', () => {
  assert.equal(currentSignal().aborted, false);
  assert.equal(isWorker(), false);
});
