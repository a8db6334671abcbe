import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FullError } from '../../src/base/errors.ts';
import { createTask, getRunningLoop, run, toThread } from '../../src/entry/asyncio.ts';
import {
  ALL_COMPLETED,
  asCompleted,
  CancelledError,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  InvalidStateError,
  ThreadPoolExecutor,
  TimeoutError,
  wait,
} from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import {
  count,
  countForEver,
  die,
  endless,
  failAfter,
  growing,
  oneThenEndless,
  oneThenTold,
  unfit,
  user,
  usersSeen,
  waitFor,
  whichWorker,
  whoCalls,
} from './jobs.ts';
import { kinds } from './kinds.ts';

test('a future is settled once and tells how', async () => {
  const future = new Future<number>();
  assert.deepEqual([future.done(), future.running(), future.cancelled()], [false, false, false]);
  assert.equal(future.setRunningOrNotifyCancel(), true);
  assert.equal(future.running(), true);
  assert.equal(future.cancel(), false);
  assert.throws(() => future.setRunningOrNotifyCancel(), InvalidStateError);
  future.setResult(5);
  assert.throws(() => future.setResult(6), InvalidStateError);
  assert.throws(() => future.setException(new Error('x')), InvalidStateError);
  assert.equal(await future, 5);
  assert.equal(await future.result(), 5);
  assert.equal(await future.exception(), undefined);
  assert.equal(await future.finally(() => {}), 5);
});

test('a cancelled future stays so', async () => {
  const future = new Future<number>();
  assert.equal(future.cancel(), true);
  assert.equal(future.cancel(), true);
  assert.equal(future.setRunningOrNotifyCancel(), false);
  assert.throws(() => future.setResult(1), InvalidStateError);
  await assert.rejects(future.result(), CancelledError);
  await assert.rejects(future.exception(), CancelledError);
});

test('callbacks are called when it is done, at once if it is, and can be taken back', () => {
  const future = new Future<number>();
  const seen: string[] = [];
  const never = () => {
    seen.push('never');
  };
  future.addDoneCallback(() => seen.push('first'));
  future.addDoneCallback(never);
  assert.equal(future.removeDoneCallback(never), 1);
  assert.equal(seen.length, 0);
  future.setResult(1);
  future.addDoneCallback((done) => seen.push(`then ${done === future}`));
  assert.deepEqual(seen, ['first', 'then true']);
  assert.throws(() => future.addDoneCallback(5 as never), { argument: 'fn' });
});

test('a wait for a future ends without ending it', async () => {
  const future = new Future<number>();
  await assert.rejects(future.result({ timeout: 0.01 }), TimeoutError);
  await assert.rejects(future.result({ signal: AbortSignal.abort() }), CancelledError);
  assert.equal(future.done(), false);
  future.setException(new RangeError('x'));
  await assert.rejects(future.result({ timeout: 5 }), RangeError);
  assert.ok((await future.exception()) instanceof RangeError);
});

test('wait returns when one is done, one has failed, or all are done', async () => {
  const [a, b, c] = [new Future<number>(), new Future<number>(), new Future<number>()];
  const all = [a, b, c];
  const nothing = await wait(all, { timeout: 0 });
  assert.equal(nothing.notDone.size, 3);
  const first = wait(all, { returnWhen: FIRST_COMPLETED });
  a.setResult(1);
  assert.deepEqual((await first).done, new Set([a]));
  const failure = wait(all, { returnWhen: FIRST_EXCEPTION });
  b.setException(new Error('b'));
  assert.deepEqual((await failure).done, new Set([a, b]));
  const last = wait(all, { returnWhen: ALL_COMPLETED });
  c.cancel();
  assert.equal((await last).notDone.size, 0);
  b.look();
  assert.equal((await wait([], { returnWhen: FIRST_COMPLETED })).done.size, 0);
  await assert.rejects(wait(all, { returnWhen: 'X' as never }), { argument: 'returnWhen' });
  await assert.rejects(wait([new Future()], { signal: AbortSignal.abort() }), CancelledError);
});

test('asCompleted gives futures as they are done', async () => {
  const [a, b, c] = [new Future<string>(), new Future<string>(), new Future<string>()];
  b.setResult('b');
  const order: string[] = [];
  for await (const [future] of asCompleted([a, b, c, b])) {
    order.push(await future.result());
    if (order.length === 1) c.setResult('c');
    if (order.length === 2) a.setResult('a');
  }
  assert.deepEqual(order, ['b', 'c', 'a']);
  const late = asCompleted([new Future()], { timeout: 0.01 });
  await assert.rejects(late.next(), /1 \(of 1\) futures unfinished/);
});

test('map of an executor gives results in order, for the shortest of its iterables', async () => {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 2 });
  const collect = async <T>(items: AsyncIterable<T>) => {
    const list: T[] = [];
    for await (const item of items) list.push(item);
    return list;
  };
  const square = (n: number) => n * n;
  assert.deepEqual(await collect(pool.map(square, [1, 2, 3])), [1, 4, 9]);
  assert.deepEqual(await collect(pool.map(square, [1, 2, 3], { chunksize: 2 })), [1, 4, 9]);
  const add = (a: number, b: number) => a + b;
  assert.deepEqual(await collect(pool.map(add, [1, 2, 3], [10, 20])), [11, 22]);
  let taken = 0;
  const source = (function* () {
    for (;;) yield taken++;
  })();
  const results = pool.map(square, source, { buffersize: 4 });
  assert.deepEqual([await results.next(), taken], [{ done: false, value: 0 }, 5]);
  await results.return?.();
  assert.deepEqual(await results.next(), { done: true, value: undefined });
  const failing = pool.map(
    (n: number) => {
      if (n === 1) throw new RangeError('one');
      return n;
    },
    [0, 1, 2],
  );
  assert.deepEqual(await failing.next(), { done: false, value: 0 });
  await assert.rejects(failing.next(), RangeError);
  assert.deepEqual(await failing.next(), { done: true, value: undefined });
  assert.throws(() => pool.map(square, [1], { chunksize: 0 }), { argument: 'chunksize' });
  assert.throws(() => pool.map(square, [1], { buffersize: 0 }), { argument: 'buffersize' });
  const slow = pool.map((seconds: number) => new Promise((go) => setTimeout(go, seconds * 1000)), [60], {
    timeout: 0.05,
  });
  await assert.rejects(slow.next(), TimeoutError);
  await pool.killWorkers();
});

test('map of an executor that has no room for all of it runs nothing more', async () => {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 1, maxQueue: 2 });
  const [begun, go] = [new Event(), new Event()];
  const first = pool.submit(waitFor, begun, go);
  await begun.wait();
  assert.throws(() => pool.map((n: number) => n, [1, 2, 3]), FullError);
  const both = [pool.submit(() => 1), pool.submit(() => 2)];
  go.set();
  assert.deepEqual(await Promise.all([first, ...both]), ['gone on', 1, 2]);
});

for (const [kind, make] of kinds) {
  test(`${kind}: a generator's items come as it makes them`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.2 });
    const items: number[] = [];
    for await (const item of pool.stream(count, 0, 1000)) items.push(item);
    assert.deepEqual(
      items,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const item of pool.stream(failAfter, 3)) seen.push(item);
    }, RangeError);
    assert.deepEqual(seen, [0, 1, 2]);
    const left = new Event();
    for await (const item of pool.stream(countForEver, left)) if (item === 500) break;
    await left.wait();
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: who leaves a stream that has not begun ends the wait for its next item`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.2 });
    const [started, goOn] = [new Event(), new Event()];
    const busy = pool.submit(waitFor, started, goOn);
    await started.wait();
    const stream = pool.stream(count, 0, 3);
    const next = stream.next();
    await stream.return!();
    assert.deepEqual(await next, { done: true, value: undefined });
    goOn.set();
    await busy;
  });
}

for (const [kind, make] of kinds) {
  test(`${kind}: context variables that are declared so go along with a call`, async () => {
    await using pool = make({ maxWorkers: 1, concurrency: 2 });
    const calls = await run(async () => {
      const as = (name: string) =>
        createTask(async () => {
          user.set(name);
          const mapped: string[] = [];
          for await (const one of pool.map(whoCalls, ['m'])) mapped.push(one);
          return [await pool.submit(whoCalls, 's'), ...mapped];
        });
      return Promise.all([as('ada'), as('bob')]);
    });
    assert.deepEqual(calls, [
      ['s ada ada', 'm ada ada'],
      ['s bob bob', 'm bob bob'],
    ]);
    assert.equal(await pool.submit(whoCalls, 's'), 's nobody nobody');
  });

  test(`${kind}: and along with a stream, whose generator has them at each of its steps`, async () => {
    await using pool = make({ maxWorkers: 1, concurrency: 2 });
    const streams = await run(async () => {
      const as = (name: string) =>
        createTask(async () => {
          user.set(name);
          const names: string[] = [];
          for await (const one of pool.stream(usersSeen, 100)) names.push(one);
          return new Set(names);
        });
      return Promise.all([as('ada'), as('bob')]);
    });
    assert.deepEqual(streams, [new Set(['ada']), new Set(['bob'])]);
  });

  test(`${kind}: what goes wrong with a context is told of the function and its own arguments`, async () => {
    await using pool = make({ maxWorkers: 1 });
    await run(() =>
      createTask(async () => {
        user.set('ada');
        await assert.rejects(pool.submit(die, 3), { name: 'WorkerLostError', message: /while it ran die$/ });
        const encoding = pool.submit(whoCalls as (value: unknown) => unknown, { deep: [() => {}] });
        await assert.rejects(encoding, { name: 'EncodeError', path: 'arguments[0].deep[0]' });
        user.set((() => {}) as unknown as string);
        await assert.rejects(pool.submit(whoCalls, 's'), { name: 'EncodeError', path: 'the context[0][0].value' });
      }),
    );
  });

  test(`${kind}: items of a stream may be large, moved, or not fit to be sent, and stay as they were given`, async () => {
    await using pool = make({ maxWorkers: 1 });
    const sizes: [length: number, first: number][] = [];
    for await (const pixels of pool.stream(growing, 5)) sizes.push([pixels.length, pixels[0]!]);
    assert.deepEqual(sizes, [
      [1, 1],
      [200_000, 2],
      [1, 3],
      [200_000, 4],
      [1, 5],
    ]);
    const seen: unknown[] = [];
    await assert.rejects(
      async () => {
        for await (const item of pool.stream(unfit)) seen.push(item);
      },
      { name: 'EncodeError', path: 'item.call' },
    );
    assert.deepEqual(seen, [1]);
    await assert.rejects(pool.stream((() => 5) as unknown as () => Iterable<number>).next(), {
      name: 'TypeError',
      message: /a stream is of what an iterator gives, and the function gave number/,
    });
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: a stream that is left tells its function, and ends one that does not hear`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.05 });
    await pool.ready();
    const heard = new Event();
    for await (const item of pool.stream(oneThenTold, heard)) if (item === 1) break;
    await heard.wait();
    const worker = await pool.submit(whichWorker);
    for await (const item of pool.stream(oneThenEndless)) if (item === 1) break;
    assert.notEqual(await pool.submit(whichWorker), worker);
  });
}

for (const [kind, make] of kinds) {
  test(`${kind}: items of a stream that are lost with their worker are told so, also when another call has ended it`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.05 });
    await pool.ready();
    const read = assert.rejects(pool.stream(growing, 4).next(), {
      name: 'WorkerLostError',
      message: /^(thread|process) \d+ .* before it had handed over all items of growing$/,
    });
    const other = pool.submitWith({ timeout: 0.1 }, endless);
    await Promise.resolve();
    // The stream has ended by then, and nothing of it was read here.
    while (!other.running()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    await assert.rejects(other, TimeoutError);
    await read;
    assert.equal(await pool.submit(() => 1), 1);
  });
}

// Never called: that it compiles is the test.
export async function typesFollowTheFunction(pool: ThreadPoolExecutor): Promise<number> {
  const add = async (a: number, b: string) => a + b.length;
  const sum: Future<number> = pool.submit(add, 1, 'x');
  // @ts-expect-error -- the second argument is text
  void pool.submit(add, 1, 2);
  // @ts-expect-error -- an argument is missing
  void pool.submit(add, 1);
  // @ts-expect-error -- the items are numbers
  void pool.map((n: number) => n, ['x']);
  // @ts-expect-error -- the result is a number
  const wrong: Future<string> = pool.submit(add, 1, 'x');
  void wrong;
  return sum;
}

test('toThread and runInExecutor have threads of their own', async () => {
  const result = await run(async () => {
    const here = process.pid;
    const threads = await Promise.all(
      [1, 2, 3].map(() => toThread(async () => (await import('node:worker_threads')).threadId)),
    );
    assert.ok(threads.every((id) => id > 0));
    assert.equal(await getRunningLoop().runInExecutor(undefined, () => process.pid), here);
    await assert.rejects(
      toThread(() => {
        throw new RangeError('there');
      }),
      RangeError,
    );
    return 'done';
  });
  assert.equal(result, 'done');
});

test('cancelling a task that awaits a future cancels it, if it has not begun', async () => {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 1 });
  const [begun, go] = [new Event(), new Event()];
  const first = pool.submit(waitFor, begun, go);
  const second = pool.submit(() => 1);
  await run(async () => {
    const task = createTask(async () => second);
    await begun.wait();
    task.cancel();
    await assert.rejects(async () => task, CancelledError);
  });
  assert.equal(second.cancelled(), true);
  go.set();
  assert.equal(await first, 'gone on');
});
