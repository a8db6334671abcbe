import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { ClosedError, InvalidArgumentError } from '../../src/base/errors.ts';
import { uuid } from '../../src/base/ids.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import { ProcessHost } from '../../src/callable/process-host.ts';
import { ThreadHost } from '../../src/callable/thread-host.ts';
import {
  Array as SharedArray,
  Lock,
  RawArray,
  RawValue,
  ShareableList,
  SharedMemory,
  Value,
} from '../../src/entry/multiprocessing.ts';
import type { TypeCode } from '../../src/entry/multiprocessing.ts';
import { Lock as ThreadLock } from '../../src/entry/threading.ts';

const parties = fromModule<typeof import('./value-parties.js')>(new URL('./value-parties.js', import.meta.url));

test('values and arrays are the same memory in threads and processes', async () => {
  const value = new Value('int64', 5n);
  const raw = new RawValue('d', 1.5);
  const array = new SharedArray('uint8', [1, 2, 255]);
  for (const host of [new ProcessHost(), new ThreadHost()]) {
    assert.deepEqual(await host.call(parties.change, [value, raw, array]), [1, 2, 255]);
    assert.deepEqual([value.value, raw.value, array.get(0)], [6n, 2.5, 9]);
    await host.close();
    value.value = 5n;
    raw.value = 1.5;
    array.set(0, 1);
  }
  assert.equal(await value.update((n) => n * 2n), 10n);
  assert.deepEqual([...array], [1, 2, 255]);
});

test('bad types, indices and values are refused and change nothing', () => {
  assert.throws(() => new Value('int33' as TypeCode), /one of int8/);
  assert.throws(() => new RawArray('i', 0), InvalidArgumentError);
  assert.throws(() => new RawValue('int8', 128), /from -128 to 127/);
  assert.throws(() => new RawValue('uint64', -1n), InvalidArgumentError);
  assert.throws(() => new RawValue('int32', 1.5), InvalidArgumentError);
  const array = new RawArray('int16', [1, 2]);
  assert.throws(() => array.get(2), /from -2 to 1/);
  assert.throws(() => array.set(-3, 0), InvalidArgumentError);
  assert.throws(() => array.set(0, 40_000), InvalidArgumentError);
  assert.deepEqual([...array], [1, 2]);
  assert.equal(array.get(-1), 2);
});

test('a lock of threads cannot go to a process, and says so', async () => {
  await using host = new ProcessHost();
  await assert.rejects(host.call(parties.nothing, [new ThreadLock()]), /use multiprocessing\.Lock/);
  await host.call(parties.nothing, [new Lock()]);
});

test('named memory is found by others, is private, and goes with its last owner', async () => {
  const name = uuid();
  await using host = new ProcessHost();
  const memory = new SharedMemory({ name, create: true, size: 5000 });
  const path = `/dev/shm/simul.${name}`;
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => new SharedMemory({ name, create: true, size: 1 }), { code: 'EEXIST' });
  assert.throws(() => new SharedMemory({ name, size: 5001 }), /at most the 5000 bytes/);
  memory.buf[4999] = 7;
  assert.equal(await host.call(parties.openByName, [name, 4999]), 7);
  const kept = memory.buf;
  memory.close();
  assert.throws(() => memory.buf, ClosedError);
  assert.equal(kept[4999], 0);
  assert.equal(await host.call(parties.closeByName, [name]), true);
  assert.throws(() => new SharedMemory({ name }), { code: 'ENOENT' });
  assert.throws(() => new SharedMemory({ create: true, size: 0 }), InvalidArgumentError);
  assert.throws(() => new SharedMemory({ name: 'a/b' }), InvalidArgumentError);
});

test('memory whose only owner was killed is swept by the next that makes some', async () => {
  const name = uuid();
  const host = new ProcessHost();
  await host.call(parties.create, [name]);
  assert.ok(readdirSync('/dev/shm').includes(`simul.${name}`));
  await host.terminate();
  new SharedMemory({ create: true, size: 64 }).close();
  assert.ok(!readdirSync('/dev/shm').includes(`simul.${name}`));
});

test('more shared memory than there is gives one clear error', () => {
  const name = uuid();
  assert.throws(
    () => new SharedMemory({ name, create: true, size: 2 ** 46 }),
    (error: Error) => {
      assert.match(error.message, /ENOSPC|EFBIG|ENOMEM/);
      return true;
    },
  );
  assert.ok(!readdirSync('/dev/shm').includes(`simul.${name}`));
});

test('a shareable list holds plain items in fixed room', async () => {
  await using host = new ProcessHost();
  using list = new ShareableList([1.5, 'text', null, true, 7n, Buffer.from('ab')]);
  assert.deepEqual(await host.call(parties.listItems, [list]), [1.5, 'text', null, true, 7n]);
  list.set(1, 'longer!!');
  assert.equal(list.get(1), 'longer!!');
  assert.throws(() => list.set(1, 'too long now'), /at most 8 bytes/);
  assert.equal(list.get(1), 'longer!!');
  assert.throws(() => list.get(6), InvalidArgumentError);
  assert.equal(list.index(7n), 4);
  assert.equal(list.count(null), 1);
  assert.equal(list.length, 6);
});
