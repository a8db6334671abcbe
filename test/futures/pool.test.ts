import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedError, FullError } from '../../src/base/errors.ts';
import { CancelledError, InvalidStateError, Pool, ThreadPool, TimeoutError } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import { waitFor } from './jobs.ts';
import { forks } from './kinds.ts';

type AnyPool = Pool | ThreadPool;

const kinds: readonly [string, (workers?: number, options?: { maxQueue?: number }) => AnyPool][] = forks
  ? [['Pool (fork)', (workers = 2, options) => new Pool(workers, { startMethod: 'fork', ...options })]]
  : [
      ['Pool', (workers = 2, options) => new Pool(workers, options)],
      ['ThreadPool', (workers = 2, options) => new ThreadPool(workers, options)],
    ];

const square = (n: number) => n * n;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

for (const [kind, make] of kinds) {
  test(`${kind}: apply and applyAsync run one call`, async () => {
    await using pool = make();
    assert.equal(await pool.apply((a: number, b: number) => a + b, [1, 2]), 3);
    const seen: unknown[] = [];
    const good = pool.applyAsync(square, [3], { callback: (value) => seen.push(value) });
    assert.equal(await good.get(), 9);
    assert.equal(good.ready(), true);
    assert.equal(good.successful(), true);
    const fail = () => {
      throw new RangeError('no');
    };
    const bad = pool.applyAsync(fail, [], { errorCallback: (error) => seen.push((error as Error).name) });
    await bad.wait();
    assert.equal(bad.successful(), false);
    await assert.rejects(bad.get(), RangeError);
    assert.deepEqual(seen, [9, 'RangeError']);
  });

  test(`${kind}: a result that is not there is waited for, as long as one likes`, async () => {
    await using pool = make(1);
    const [begun, go] = [new Event(), new Event()];
    const result = pool.applyAsync(waitFor, [begun, go]);
    assert.equal(result.ready(), false);
    assert.throws(() => result.successful(), InvalidStateError);
    await assert.rejects(result.get({ timeout: 0.01 }), TimeoutError);
    await result.wait({ timeout: 0.01 });
    await assert.rejects(result.wait({ signal: AbortSignal.abort() }), CancelledError);
    go.set();
    await result.wait();
    assert.equal(await result.get(), 'gone on');
  });

  test(`${kind}: map, starmap and their twins keep the order`, async () => {
    await using pool = make();
    const squares = range(1000).map(square);
    assert.deepEqual(await pool.map(square, range(1000)), squares);
    assert.deepEqual(await pool.map(square, new Set(range(10))), squares.slice(0, 10));
    assert.deepEqual(await pool.map(square, []), []);
    assert.deepEqual(await pool.map(square, range(10), { chunksize: 3 }), squares.slice(0, 10));
    assert.deepEqual(await pool.map(async (n: number) => n * n, range(10)), squares.slice(0, 10));
    assert.deepEqual(await pool.map((n: number) => n / 2, [1, 2]), [0.5, 1]);
    assert.deepEqual(await pool.map((text: string) => text.length, ['a', 'bc']), [1, 2]);
    assert.deepEqual(await pool.map((n: number) => ({ n }), [1, 2]), [{ n: 1 }, { n: 2 }]);
    const pairs = range(100).map((n): [number, number] => [n, 1]);
    const sums = range(100).map((n) => n + 1);
    assert.deepEqual(await pool.starmap((a: number, b: number) => a + b, pairs), sums);
    assert.deepEqual(await pool.starmapAsync((a: number, b: number) => a + b, pairs).get(), sums);
    assert.deepEqual(await pool.mapAsync(square, range(10)).get(), squares.slice(0, 10));
    await assert.rejects(pool.map(square, [1], { chunksize: 0 }), { argument: 'chunksize' });
  });

  test(`${kind}: an array of numbers far larger than the ring`, async () => {
    await using pool = make();
    const result = await pool.map((n: number) => n + 0.5, range(300_000), { chunksize: 100_000 });
    assert.equal(result.length, 300_000);
    assert.equal(result[299_999], 299_999.5);
  });

  test(`${kind}: map gives the first error when all is done`, async () => {
    await using pool = make();
    const odd = (n: number) => {
      if (n % 2 === 1) throw new RangeError(`odd ${n}`);
      return n;
    };
    await assert.rejects(pool.map(odd, range(10), { chunksize: 1 }), RangeError);
    assert.deepEqual(await pool.map(odd, [2, 4]), [2, 4]);
  });

  test(`${kind}: imap gives results in order, and takes items only as they are needed`, async () => {
    await using pool = make();
    let taken = 0;
    const endless = function* () {
      for (;;) yield taken++;
    };
    const results: number[] = [];
    for await (const result of pool.imap(square, endless())) {
      results.push(result);
      if (results.length === 100) break;
    }
    assert.deepEqual(results, range(100).map(square));
    assert.ok(taken < 2000);
    const chunked: number[] = [];
    for await (const result of pool.imap(square, range(50), { chunksize: 7 })) chunked.push(result);
    assert.deepEqual(chunked, range(50).map(square));
  });

  test(`${kind}: an error in imap stands in its place and the rest follows`, async () => {
    await using pool = make();
    const picky = (n: number) => {
      if (n === 1) throw new RangeError('one');
      return n;
    };
    const results = pool.imap(picky, range(3));
    assert.deepEqual(await results.next(), { done: false, value: 0 });
    await assert.rejects(results.next(), RangeError);
    assert.deepEqual(await results.next(), { done: false, value: 2 });
    assert.deepEqual(await results.next(), { done: true, value: undefined });
  });

  test(`${kind}: a begun imap goes on when the pool is closed, read before its end or after`, async () => {
    const most = 3000; // more than are taken ahead
    for (const name of ['imap', 'imapUnordered'] as const) {
      const pool = make();
      const before = pool[name](square, [1, 2, 3]);
      const after = pool[name](square, range(most));
      const dropped = pool[name](square, range(most));
      await dropped.next();
      pool.close();
      await dropped.return!();
      const few: number[] = [];
      for await (const result of before) few.push(result);
      assert.deepEqual(
        few.toSorted((a, b) => a - b),
        [1, 4, 9],
      );
      await pool.join();
      const many: number[] = [];
      for await (const result of after) many.push(result);
      assert.deepEqual(
        many.toSorted((a, b) => a - b),
        range(most).map(square),
      );
    }
  });

  test(`${kind}: imap waits for room in the queue`, async () => {
    await using pool = make(1, { maxQueue: 0 });
    const [begun, go] = [new Event(), new Event()];
    const first = pool.applyAsync(waitFor, [begun, go]);
    await begun.wait();
    const results = pool.imap(square, range(20));
    const next = results.next();
    go.set();
    assert.deepEqual(await next, { done: false, value: 0 });
    assert.equal(await first.get(), 'gone on');
    const rest: number[] = [];
    for await (const result of results) rest.push(result);
    assert.deepEqual(rest, range(20).map(square).slice(1));
  });

  test(`${kind}: an imap ends with the error that keeps it from going on, after what came before`, async () => {
    const pool = make();
    const results = pool.imap(
      square,
      (function* () {
        yield 3;
        yield 4;
        throw new RangeError('no more');
      })(),
      { chunksize: 5 },
    );
    assert.deepEqual(await results.next(), { done: false, value: 9 });
    assert.deepEqual(await results.next(), { done: false, value: 16 });
    await assert.rejects(results.next(), RangeError);
    assert.deepEqual(await results.next(), { done: true, value: undefined });
    const unread = pool.imap(square, range(5));
    await pool.terminate();
    await assert.rejects(unread.next(), ClosedError);
    assert.deepEqual(await unread.next(), { done: true, value: undefined });
  });

  test(`${kind}: an endless imap that nobody reads holds up join, which names it, until it is ended`, async () => {
    const endless = function* () {
      for (let i = 0; ; i++) yield i;
    };
    for (const name of ['imap', 'imapUnordered'] as const) {
      for (const way of ['return', 'terminate'] as const) {
        const pool = make();
        const results = pool[name](square, endless());
        await results.next();
        pool.close();
        await assert.rejects(pool.join({ timeout: 0.05 }), {
          name: 'TimeoutError',
          message: /an imap is not through the items; return\(\) of it ends one, terminate\(\) all/,
        });
        const ended = pool.join();
        if (way === 'return') await results.return!();
        else await pool.terminate();
        await ended;
      }
    }
  });

  test(`${kind}: who reads an imap whose source gives nothing is told of the end of its pool, and may leave`, async () => {
    const pool = make();
    const source = async function* () {
      yield 2;
      await new Promise(() => {});
    };
    const [left, read] = [pool.imap(square, source()), pool.imapUnordered(square, source())];
    for (const results of [left, read]) assert.deepEqual(await results.next(), { done: false, value: 4 });
    await left.return!();
    assert.deepEqual(await left.next(), { done: true, value: undefined });
    const next = read.next();
    await pool.terminate();
    await assert.rejects(next, ClosedError);
    assert.deepEqual(await read.next(), { done: true, value: undefined });
  });

  test(`${kind}: an asynchronous source may give its items by any thenable`, async () => {
    await using pool = make();
    let i = 0;
    const next = () => {
      const step = ++i < 3 ? { done: false, value: i } : { done: true, value: undefined };
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      return { then: (resolve: (value: unknown) => void) => resolve(step) };
    };
    const source = { [Symbol.asyncIterator]: () => ({ next }) } as unknown as AsyncIterable<number>;
    const results: number[] = [];
    for await (const result of pool.imap(square, source)) results.push(result);
    assert.deepEqual(results, [1, 4]);
  });

  test(`${kind}: a map for which there is no room runs nothing more`, async () => {
    await using pool = make(1, { maxQueue: 2 });
    const [begun, go] = [new Event(), new Event()];
    const first = pool.applyAsync(waitFor, [begun, go]);
    await begun.wait();
    await assert.rejects(pool.map(square, range(4), { chunksize: 1 }), FullError);
    // Those that had found room have given it back.
    const both = pool.map(square, [3, 4], { chunksize: 1 });
    go.set();
    assert.deepEqual(await both, [9, 16]);
    await first.get();
  });

  test(`${kind}: imapUnordered gives what is done first`, async () => {
    await using pool = make();
    const [begun, go] = [new Event(), new Event()];
    const items: [boolean, Event, Event][] = [true, false, false].map((wait) => [wait, begun, go]);
    const order: boolean[] = [];
    const each = ([wait, here, there]: [boolean, Event, Event]) => {
      if (!wait) return wait;
      here.set();
      there.waitSync();
      return wait;
    };
    for await (const result of pool.imapUnordered(each, items)) {
      order.push(result);
      if (order.length === 2) go.set();
    }
    assert.deepEqual(order, [false, false, true]);
    const source = async function* () {
      yield* range(20);
    };
    const rest: number[] = [];
    for await (const result of pool.imapUnordered(square, source())) rest.push(result);
    assert.deepEqual(
      rest.sort((a, b) => a - b),
      range(20).map(square),
    );
  });

  test(`${kind}: closed it takes no more, joined it is gone`, async () => {
    const pool = make();
    await assert.rejects(pool.join(), InvalidStateError);
    const result = pool.mapAsync(square, range(100));
    pool.close();
    pool.close();
    await assert.rejects(pool.apply(square, [1]), InvalidStateError);
    await assert.rejects(pool.map(square, [1]), InvalidStateError);
    await assert.rejects(pool.starmap(square, [[1]]), InvalidStateError);
    assert.throws(() => pool.imap(square, [1]), InvalidStateError);
    await pool.join();
    assert.equal((await result.get()).length, 100);
    await pool.terminate();
  });

  test(`${kind}: terminated, what is not done fails`, async () => {
    const pool = make(1);
    const begun = new Event();
    const running = pool.applyAsync(waitFor, [begun, new Event()]);
    const waiting = pool.applyAsync(square, [2]);
    await begun.wait();
    const ended = pool.terminate();
    await assert.rejects(running.get(), /terminated/);
    await assert.rejects(waiting.get(), /terminated/);
    await ended;
    await pool.join();
  });
}

test('the number of workers is checked', () => {
  for (const [, make] of kinds) {
    assert.throws(() => make(0), { argument: 'maxWorkers' });
    assert.throws(() => make(-2), { argument: 'maxWorkers' });
  }
});
