import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { WorkerDeath } from '../../src/entry/futures.ts';
import { CancelledError, ThreadPoolExecutor, TimeoutError, WorkerLostError } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import {
  die,
  hog,
  hogHeap,
  hold,
  holdLater,
  killMyself,
  meet,
  spin,
  throwLater,
  untilAborted,
  untilTold,
  waitFor,
  whichWorker,
} from './jobs.ts';
import { kinds, processKinds, threads } from './kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: a call that waits is cancelled at once, one that runs is not unless asked to`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.05 });
    const [begun, go] = [new Event(), new Event()];
    const first = pool.submit(waitFor, begun, go);
    const second = pool.submit(() => 2);
    await begun.wait();
    assert.equal(first.running(), true);
    assert.equal(second.running(), false);
    assert.equal(first.cancel(), false);
    assert.equal(second.cancel(), true);
    assert.equal(second.cancel(), true);
    assert.equal(second.cancelled(), true);
    await assert.rejects(second, CancelledError);
    go.set();
    assert.equal(await first, 'gone on');
    assert.equal(first.cancel(), false);
    assert.equal(pool.statistics().cancelled, 1);
  });

  test(`${kind}: a call that runs is told to stop by its signal`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 60 });
    const [begun, heard] = [new Event(), new Event()];
    const running = pool.submit(untilTold, begun, heard);
    await begun.wait();
    assert.equal(running.cancel({ running: true }), true);
    await assert.rejects(running, CancelledError);
    await heard.wait();
    assert.equal(await pool.submit(() => 'the same worker'), 'the same worker');
    assert.equal(pool.statistics().died, 0);
  });

  test(`${kind}: what waits goes on when all that was given to a worker is cancelled before it begins`, async () => {
    await using pool = make({ maxWorkers: 1 });
    await pool.ready();
    const lengths = (text: string, count: number) =>
      Array.from({ length: count }, () => pool.submit((each: string) => each.length, text));
    // The ring has room for four of the long ones.
    for (const [text, few] of [
      ['x', 5],
      ['x'.repeat(60_000), 4],
    ] as const) {
      await pool.submit(() => {});
      const calls = lengths(text, 40);
      for (const call of calls.slice(0, 20)) call.cancel();
      for (const call of calls.slice(20)) assert.equal(await call, text.length);
      await pool.submit(() => {});
      for (const call of lengths(text, few)) call.cancel();
      assert.deepEqual(await Promise.all(lengths(text, 2)), [text.length, text.length]);
    }
  });

  test(`${kind}: a call that came through the ring is told to stop too`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 60 });
    const file = join(tmpdir(), `told-${kind}`);
    const running = pool.submit(untilAborted, file);
    while (!existsSync(file)) await new Promise(setImmediate);
    assert.equal(running.cancel({ running: true }), true);
    assert.equal(await pool.submit(() => 'the same worker'), 'the same worker');
    assert.equal(readFileSync(file, 'utf8'), 'told');
    rmSync(file);
  });

  test(`${kind}: an aborted signal cancels, whether the call waits or runs`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 60 });
    const abort = new AbortController();
    const [begun, heard] = [new Event(), new Event()];
    const running = pool.submitWith({ signal: abort.signal }, untilTold, begun, heard);
    const waiting = pool.submitWith({ signal: abort.signal }, () => 1);
    await begun.wait();
    abort.abort(new Error('enough'));
    await assert.rejects(running, CancelledError);
    await assert.rejects(waiting, CancelledError);
    await assert.rejects(
      pool.submitWith({ signal: abort.signal }, () => 1),
      CancelledError,
    );
    await heard.wait();
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: an endless loop is ended on time, and the rest goes on`, async () => {
    await using pool = make({ maxWorkers: 1, grace: 0.05 });
    await pool.ready();
    const timeouts: unknown[] = [];
    pool.on('timeout', (detail) => timeouts.push(detail.timeout));
    const begun = new Event();
    const endless = pool.submitWith({ timeout: 0.1 }, spin, begun);
    const others = Array.from({ length: 50 }, (_, i) => pool.submit((n: number) => n, i));
    await assert.rejects(endless, TimeoutError);
    assert.deepEqual(
      await Promise.all(others),
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.deepEqual(timeouts, [0.1]);
    assert.equal(pool.statistics().timedOut, 1);
  });

  test(`${kind}: the time limit of the pool is that of calls which name none`, async () => {
    await using pool = make({ maxWorkers: 2, timeout: 0.1, grace: 0.05 });
    const wait = () => new Promise((resolve) => setTimeout(resolve, 60_000));
    await assert.rejects(pool.submit(wait), TimeoutError);
    assert.equal(await pool.submitWith({ timeout: 60 }, () => 1), 1);
    const many = Array.from({ length: 1000 }, (_, i) => pool.submitWith({ timeout: 60 }, (n: number) => n, i));
    assert.equal((await Promise.all(many)).length, 1000);
  });

  test(`${kind}: time limits hold for calls by message, and for several in one worker`, async () => {
    await using pool = make({ maxWorkers: 1, concurrency: 3, grace: 60 });
    const [begun, heard] = [new Event(), new Event()];
    const message = pool.submitWith({ timeout: 0.1 }, untilTold, begun, heard);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 60_000).unref());
    const others = [pool.submitWith({ timeout: 0.1 }, wait), pool.submitWith({ timeout: 0.15 }, wait)];
    for (const future of [message, ...others]) await assert.rejects(future, TimeoutError);
    await pool.killWorkers();
  });

  test(`${kind}: a worker that exits fails only what it had begun`, async () => {
    await using pool = make({ maxWorkers: 1 });
    await pool.ready();
    const deaths: unknown[] = [];
    pool.on('died', (death) => deaths.push(death.exitcode));
    const before = pool.submit(() => 'before');
    const lost = pool.submit(die, 3);
    const after = Array.from({ length: 20 }, (_, i) => pool.submit((n: number) => n, i));
    assert.equal(await before, 'before');
    const error = await lost.exception();
    assert.ok(error instanceof WorkerLostError);
    assert.equal(error.death.exitcode, 3);
    assert.equal(error.death.outOfMemory, false);
    assert.match(error.message, /exited with code 3 while it ran die/);
    assert.deepEqual(
      await Promise.all(after),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.deepEqual(deaths, [3]);
  });

  test(`${kind}: short calls are not held up by a long one`, async () => {
    await using pool = make({ maxWorkers: 2 });
    await pool.ready();
    const [begun, go] = [new Event(), new Event()];
    const long = pool.submit(waitFor, begun, go);
    const short = Array.from({ length: 100 }, (_, i) => pool.submit((n: number) => n, i));
    await Promise.all(short);
    assert.equal(long.done(), false);
    go.set();
    assert.equal(await long, 'gone on');
  });
}

const long = (milliseconds: number) => {
  const end = Date.now() + milliseconds;
  while (Date.now() < end);
  return 'long';
};

for (const [kind, make] of kinds) {
  test(`${kind}: what lies behind a long call is taken back from its worker`, async () => {
    await using pool = make({ maxWorkers: 2 });
    await pool.ready();
    // So that workers are given much ahead.
    await Promise.all(Array.from({ length: 2000 }, () => pool.submit(() => {})));
    const first = pool.submit(long, 10_000);
    const short = Array.from({ length: 100 }, (_, i) => pool.submit((n: number) => n, i));
    await Promise.all(short);
    assert.equal(first.done(), false);
    assert.ok(pool.statistics().stolen > 0);
    first.look();
    await pool.killWorkers();
    await assert.rejects(first, /terminated/);
  });

  test(`${kind}: long calls run at the same time, though short ones went to one worker before`, async () => {
    await using pool = make({ maxWorkers: 2 });
    await pool.ready();
    await Promise.all(Array.from({ length: 2000 }, () => pool.submit(() => {})));
    const [one, other] = [join(tmpdir(), `one-${kind}`), join(tmpdir(), `other-${kind}`)];
    assert.deepEqual(await Promise.all([pool.submit(meet, one, other), pool.submit(meet, other, one)]), ['met', 'met']);
    for (const file of [one, other]) rmSync(file);
  });
}

for (const [kind, make] of processKinds) {
  test(`${kind}: a killed process is named with its signal`, async () => {
    await using pool = make({ maxWorkers: 1 });
    const error = await pool.submit(killMyself).exception();
    assert.ok(error instanceof WorkerLostError);
    assert.equal(error.death.signal, 'SIGKILL');
    assert.match(error.message, /^process \d+ was killed by SIGKILL while it ran killMyself$/);
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: a memory hog is ended and named`, async () => {
    await using pool = make({ maxWorkers: 1, memoryLimit: 300 << 20 });
    const error = await pool.submit(hog).exception();
    assert.ok(error instanceof WorkerLostError);
    assert.equal(error.death.outOfMemory, true);
    assert.match(error.message, /ran out of memory \(it used \d+ of 300 MB\) while it ran hog/);
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: an initializer that takes too much memory is ended and told of`, async () => {
    await using pool = make({ maxWorkers: 1, memoryLimit: 300 << 20, initializer: hog });
    await assert.rejects(
      pool.submit(() => 1),
      { message: /end before they are ready \(it used \d+ of 300 MB\)/ },
    );
  });
}

for (const [kind, make] of processKinds) {
  const memoryLimit = 300 << 20;

  test(`${kind}: what a call leaves behind is noticed when it ends, and costs no other call its worker`, async (t) => {
    using _ = new Looks(t);
    await using pool = make({ maxWorkers: 1, memoryLimit });
    const deaths: WorkerDeath[] = [];
    pool.on('died', (death) => deaths.push(death));
    const before = await pool.submit(whichWorker);
    await pool.submit(hold, 400);
    assert.notEqual(await pool.submit(whichWorker), before);
    assert.deepEqual(deaths.map(({ outOfMemory, signal }) => ({ outOfMemory, signal })), [{ outOfMemory: true, signal: 'SIGKILL' }]); // prettier-ignore
    assert.equal(pool.statistics().died, 1);
  });

  test(`${kind}: a worker that holds too much once it has nothing to do is noticed before it gets the next call`, async (t) => {
    using looks = new Looks(t);
    await using pool = make({ maxWorkers: 1, memoryLimit });
    const before = await pool.submit(whichWorker);
    const [go, done] = [new Event(), new Event()];
    await pool.submit(holdLater, 400, go, done);
    looks.pass();
    go.set();
    await done.wait();
    assert.notEqual(await pool.submit(whichWorker), before);
    assert.equal(pool.statistics().lost, 0);
  });

  test(`${kind}: and at the last look after the last call`, async (t) => {
    using looks = new Looks(t);
    await using pool = make({ maxWorkers: 1, memoryLimit });
    const died = new Promise<WorkerDeath>((resolve) => pool.on('died', resolve));
    const [go, done] = [new Event(), new Event()];
    await pool.submit(holdLater, 400, go, done);
    go.set();
    await done.wait();
    looks.pass();
    assert.equal((await died).outOfMemory, true);
  });

  test(`${kind}: and so is one of a pool that gets no call at all`, async () => {
    await using pool = make({ maxWorkers: 1, memoryLimit, initializer: hog });
    await assert.rejects(pool.ready(), { message: /end before they are ready \(it used \d+ of 300 MB\)/ });
  });

  test(`${kind}: workers that hold too much when they are ready are not replaced for ever`, async () => {
    await using pool = make({ maxWorkers: 1, memoryLimit, initializer: hold, initargs: [400] });
    await assert.rejects(pool.ready(), { message: /end before they are ready \(it used \d+ of 300 MB\)/ });
  });
}

test('threads: an exception that nobody caught is named in the error of the call it ended', async () => {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 1 });
  await assert.rejects(pool.submit(throwLater), {
    name: 'WorkerLostError',
    message: /exited with code 1 \(uncaught RangeError: later\) while it ran throwLater$/,
  });
});

test('threads: a heap that is full ends its thread only, and is named', async () => {
  await using pool = threads[1]({ maxWorkers: 1, memoryLimit: 40 << 20 });
  const error = await pool.submit(hogHeap).exception();
  assert.ok(error instanceof WorkerLostError);
  assert.equal(error.death.outOfMemory, true);
  assert.equal(await pool.submit(() => 1), 1);
});

/** The looks that are taken at the memory of workers from time to time, as far as they are let pass. */
class Looks implements Disposable {
  readonly #alive = setInterval(() => {}, 2 ** 30);
  readonly #timers: TestContext['mock']['timers'];

  constructor({ mock }: TestContext) {
    this.#timers = mock.timers;
    this.#timers.enable({ apis: ['setInterval'] });
  }

  pass(): void {
    this.#timers.tick(1000);
  }

  [Symbol.dispose](): void {
    this.#timers.reset();
    clearInterval(this.#alive);
  }
}
