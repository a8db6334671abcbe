import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClosedError, FullError, InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import { BrokenExecutor, CancelledError, TimeoutError } from '../../src/entry/futures.ts';
import { Event, Lock, Value } from '../../src/entry/multiprocessing.ts';
import { failToInitialise, initialise, initialisedAs, invert, waitFor, whileThere } from './jobs.ts';
import { kinds } from './kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: results of every sort come back`, async () => {
    await using pool = make();
    const echo = (value: unknown) => value;
    const nested = {
      a: [1, -0, 2.5, 'ü', null, undefined, true],
      b: { c: 10n, d: new Date(5), e: new Map([[1, 'x']]) },
    };
    const long = 'é'.repeat(3000);
    const values = [undefined, null, 0, -0, 7, 2 ** 40, 0.1, NaN, '', 'text', 'zażółć', long, '\ud800', true, 1n];
    for (const value of [...values, nested, [1, 2, 3], new Float64Array([1, 2]), Buffer.from('abc')]) {
      assert.deepEqual(await pool.submit(echo, value), value);
    }
    const large = Buffer.alloc(3 << 20, 7);
    assert.deepEqual(Buffer.from((await pool.submit(echo, large)) as Uint8Array), large);
    assert.equal(await pool.submit(() => 'none'), 'none');
    assert.equal(await pool.submit((a: number, b: number, c: number) => a + b + c, 1, 2, 3), 6);
    assert.equal(await pool.submit(async (a: number) => a * 2, 4), 8);
  });

  test(`${kind}: what a call throws comes back as it was`, async () => {
    await using pool = make();
    const failing = pool.submit(() => {
      throw Object.assign(new RangeError('too far'), { distance: 12 });
    });
    const error = (await failing.exception()) as RangeError & { distance: number };
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, 'too far');
    assert.equal(error.distance, 12);
    assert.match(error.stack ?? '', /--- in (thread|process|forked process) \d+ ---/);
    await assert.rejects(failing.result(), RangeError);
    await assert.rejects(
      pool.submit(() => Promise.reject(new TypeError('later'))),
      TypeError,
    );
  });

  test(`${kind}: bad functions and arguments fail their future, and the pool lives on`, async () => {
    await using pool = make();
    const free = 1;
    await assert.rejects(
      pool.submit(() => free),
      /ReferenceError|free is not defined.*portable/,
    );
    await assert.rejects(pool.submit(parseInt, '1'), InvalidArgumentError);
    const encoding = pool.submit((value: unknown) => value, { deep: [() => {}] });
    await assert.rejects(encoding, { name: 'EncodeError', path: 'arguments[0].deep[0]' });
    const missing = fromModule<{ nothing: () => void }, 'nothing'>(new URL('./jobs.js', import.meta.url), 'nothing');
    await assert.rejects(pool.submit(missing), NotFoundError);
    const throwing = fromModule<{ f: () => void }, 'f'>(new URL('./throws-at-import.js', import.meta.url), 'f');
    await assert.rejects(pool.submit(throwing), /thrown at import/);
    const fit = pool.submit(() => ({ call: () => {} }));
    await assert.rejects(fit, { name: 'EncodeError', path: 'result.call' });
    await assert.rejects(
      pool.submit(() => Symbol('result')),
      { name: 'EncodeError', path: 'result' },
    );
    assert.equal(await pool.submit(() => 'alive'), 'alive');
  });

  test(`${kind}: large values go there and back`, async () => {
    await using pool = make({ maxWorkers: 1 });
    const size = (64 << 20) + 1;
    assert.equal(await pool.submit((bytes: Uint8Array) => bytes.length, new Uint8Array(size)), size);
    assert.equal((await pool.submit((length: number) => new Uint8Array(length), size)).length, size);
  });

  test(`${kind}: a module that the worker cannot find fails the call`, async () => {
    await using pool = make();
    const nowhere = fromModule<{ f: () => void }, 'f'>(new URL('./not-there.js', import.meta.url), 'f');
    await assert.rejects(pool.submit(nowhere), /not-there/);
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: shutdown runs what was submitted, and refuses what comes after`, async () => {
    const pool = make();
    const futures = Array.from({ length: 100 }, (_, i) => pool.submit((n: number) => n + 1, i));
    const end = pool.shutdown();
    assert.throws(() => pool.submit(() => 1), ClosedError);
    await end;
    assert.ok(futures.every((future) => future.done()));
    assert.equal(await futures[99]!.result(), 100);
    await pool.shutdown();
  });

  test(`${kind}: shutdown cancels what has not begun if asked to`, async () => {
    const pool = make({ maxWorkers: 1 });
    const [begun, go] = [new Event(), new Event()];
    const first = pool.submit(waitFor, begun, go);
    const others = Array.from({ length: 20 }, () => pool.submit(() => 1));
    await begun.wait();
    const end = pool.shutdown({ cancelFutures: true });
    for (const other of others) assert.equal(other.cancelled(), true);
    await assert.rejects(others[0]!.result(), CancelledError);
    assert.equal(first.running(), true);
    go.set();
    await end;
    assert.equal(await first, 'gone on');
  });

  test(`${kind}: an initializer runs once in each worker; one that fails breaks the pool`, async () => {
    {
      await using pool = make({ initializer: initialise, initargs: [41] });
      assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => pool.submit(initialisedAs))), [41, 41, 41, 41]);
    }
    const broken = make({ initializer: failToInitialise });
    const future = broken.submit(() => 1);
    await assert.rejects(future.result(), (error: Error) => {
      assert.ok(error instanceof BrokenExecutor);
      assert.ok(error.cause instanceof RangeError);
      return true;
    });
    assert.throws(() => broken.submit(() => 1), BrokenExecutor);
    await assert.rejects(broken.ready(), BrokenExecutor);
    await broken.shutdown();
  });

  test(`${kind}: shared objects arrive as the same ones`, async () => {
    await using pool = make();
    const [total, lock] = [new Value('i', 0), new Lock()];
    const add = async (value: typeof total, guard: typeof lock, by: number) => {
      await guard.acquire();
      value.value += by;
      guard.release();
    };
    await Promise.all(Array.from({ length: 20 }, () => pool.submit(add, total, lock, 2)));
    assert.equal(total.value, 40);
  });

  test(`${kind}: buffers are moved where they are marked`, async () => {
    await using pool = make();
    const { transfer } = await import('../../src/callable/transfer.ts');
    const pixels = new Uint8Array(1000).fill(5);
    const result = await pool.submit(invert, transfer(pixels, [pixels.buffer]));
    assert.equal(pixels.length, 0);
    assert.deepEqual(result, new Uint8Array(1000).fill(250));
  });

  test(`${kind}: the queue is bounded if asked to, and room is waited for`, async () => {
    await using pool = make({ maxWorkers: 1, maxQueue: 2 });
    const [begun, go] = [new Event(), new Event()];
    const first = pool.submit(waitFor, begun, go);
    await pool.room();
    const others = [pool.submit(() => 1), pool.submit(() => 2)];
    assert.throws(() => pool.submit(() => 3), FullError);
    await assert.rejects(pool.room({ timeout: 0 }), /timed out/);
    const room = pool.room();
    go.set();
    await room;
    const last = pool.submit(() => 3);
    assert.deepEqual(await Promise.all([first, ...others, last]), ['gone on', 1, 2, 3]);
  });

  test(`${kind}: who has given up waiting for room takes it from nobody, and the end is told to all who wait`, async () => {
    const pool = make({ maxWorkers: 1, maxQueue: 0 });
    let [begun, go] = [new Event(), new Event()];
    const first = pool.submit(waitFor, begun, go);
    await begun.wait();
    await assert.rejects(pool.room({ timeout: 0 }), TimeoutError);
    const abort = new AbortController();
    const aborted = pool.room({ signal: abort.signal });
    const rooms = [pool.room(), pool.room(), pool.room()];
    abort.abort();
    await assert.rejects(aborted, CancelledError);
    go.set();
    await Promise.all([first, ...rooms]);
    [begun, go] = [new Event(), new Event()];
    const last = pool.submit(waitFor, begun, go);
    const never = assert.rejects(pool.room(), ClosedError);
    const shutdown = pool.shutdown();
    await never;
    await assert.rejects(pool.room(), ClosedError);
    go.set();
    await Promise.all([last, shutdown]);
  });

  test(`${kind}: calls begin by priority, however few there are, and those of one in the order in which they came`, async () => {
    await using pool = make({ maxWorkers: 1 });
    const file = join(tmpdir(), `there-${kind}`);
    for (const priorities of [
      [0, 1],
      [0, 0, 5],
      [-1, 0],
      [-2, -1, -1],
      [0, 1, 1, 1],
      [1, 0, 2, -1, 1, 2, 0, -1, 1, 1, 2],
    ]) {
      writeFileSync(file, '');
      const first = pool.submit(whileThere, file);
      while (!first.running()) await new Promise(setImmediate);
      const order: { priority: number; at: number }[] = [];
      const calls = priorities.map((priority, at) => {
        const call = pool.submitWith({ priority }, () => 0);
        call.addDoneCallback(() => order.push({ priority, at }));
        return call;
      });
      rmSync(file);
      await Promise.all([first, ...calls]);
      assert.deepEqual(
        order,
        order.toSorted((a, b) => b.priority - a.priority || a.at - b.at),
      );
    }
  });

  test(`${kind}: higher priorities begin first, even before what a worker was given already`, async () => {
    await using pool = make({ maxWorkers: 1 });
    await pool.ready();
    const [begun, go] = [new Event(), new Event()];
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const first = pool.submit(waitFor, begun, go);
    const low = Array.from({ length: 10 }, (_, i) => pool.submitWith({ priority: -1 }, () => 0).then(note(`low${i}`)));
    const plain = Array.from({ length: 3 }, (_, i) => pool.submit(() => 0).then(note(`plain${i}`)));
    await begun.wait();
    const high = [pool.submitWith({ priority: 5 }, () => 0).then(note('high'))];
    go.set();
    await Promise.all([first, ...low, ...plain, ...high]);
    assert.deepEqual(order.slice(0, 4), ['high', 'plain0', 'plain1', 'plain2']);
    assert.equal(order[4], 'low0');
  });
}

test('options are checked, each by name', () => {
  for (const [, make] of kinds) {
    for (const maxWorkers of [0, -1, 1.5, NaN]) {
      assert.throws(() => make({ maxWorkers }), { argument: 'maxWorkers' });
    }
    assert.throws(() => make({ maxTasksPerChild: 0 }), { argument: 'maxTasksPerChild' });
    assert.throws(() => make({ concurrency: 0 }), { argument: 'concurrency' });
    assert.throws(() => make({ timeout: -1 }), { argument: 'timeout' });
    assert.throws(() => make({ maxQueue: -1 }), { argument: 'maxQueue' });
    assert.throws(() => make({ memoryLimit: 0 }), { argument: 'memoryLimit' });
    assert.throws(() => make({ minWorkers: -1 }), { argument: 'minWorkers' });
    assert.throws(() => make({ initializer: 5 as never }), { argument: 'initializer' });
    assert.throws(() => make({ initargs: 5 as never }), { argument: 'initargs' });
  }
});
