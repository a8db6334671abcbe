import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { BrokenExecutor, ThreadPoolExecutor } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';
import { die, endless, spinOn, waitFor, whoAmI } from './jobs.ts';
import type { AnyPool } from './kinds.ts';
import { forks, kinds, processKinds } from './kinds.ts';

for (const [kind, make] of kinds) {
  test(`${kind}: workers are replaced after their share of calls`, async () => {
    await using pool = make({ maxWorkers: 2, maxTasksPerChild: 5 });
    const calls = await Promise.all(Array.from({ length: 40 }, () => pool.submit(whoAmI)));
    const shares = new Map<string, number>();
    for (const who of calls) shares.set(who, (shares.get(who) ?? 0) + 1);
    assert.ok(Math.max(...shares.values()) <= 5, JSON.stringify([...shares]));
    assert.ok(shares.size >= 8);
    assert.ok(pool.statistics().recycled >= 6);
    assert.equal(pool.statistics().died, 0);
  });

  test(`${kind}: a replacement is ready before the worker leaves`, async () => {
    await using pool = make({ maxWorkers: 1, maxTasksPerChild: 4 });
    await pool.ready();
    const ready = event(pool, 'ready', 1);
    for (let i = 0; i < 3; i++) await pool.submit(() => 1);
    await ready;
    assert.equal(pool.statistics().recycled, 0);
    const left = event(pool, 'left', 1);
    await pool.submit(() => 1);
    assert.deepEqual(await left, [{ why: 'recycled' }]);
    assert.equal(await pool.submit(() => 1), 1);
  });

  test(`${kind}: the number of workers can be changed`, async () => {
    await using pool = make({ maxWorkers: 1 });
    await pool.ready();
    pool.resize(3);
    await pool.ready();
    assert.equal(pool.statistics().workers, 3);
    const left = event(pool, 'left', 2);
    pool.resize(1);
    assert.deepEqual(await left, [{ why: 'resized' }, { why: 'resized' }]);
    assert.equal(pool.statistics().workers, 1);
    assert.equal(await pool.submit(() => 1), 1);
    assert.throws(() => pool.resize(0), { argument: 'maxWorkers' });
  });

  test(`${kind}: a worker that is resized away finishes what it has`, async () => {
    await using pool = make({ maxWorkers: 2 });
    await pool.ready();
    const go = new Event();
    const begun = [new Event(), new Event()];
    const running = begun.map((each) => pool.submit(waitFor, each, go));
    for (const each of begun) await each.wait();
    const waiting = Array.from({ length: 10 }, () => pool.submit(() => 'waited'));
    pool.resize(1);
    go.set();
    assert.deepEqual(await Promise.all(running), ['gone on', 'gone on']);
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['waited']));
  });

  test(`${kind}: idle workers leave, and come back when there is more to do`, async () => {
    await using pool = make({ maxWorkers: 2, minWorkers: 0, idleTimeout: 0.02 });
    assert.equal(pool.statistics().workers, 0);
    const left = event(pool, 'left', 1);
    assert.equal(await pool.submit(() => 1), 1);
    assert.deepEqual(await left, [{ why: 'idle' }]);
    assert.equal(await pool.submit(() => 2), 2);
  });

  test(`${kind}: several calls of one worker may be under way if asked to`, async () => {
    await using pool = make({ maxWorkers: 1, concurrency: 3 });
    const [begun, go] = [new Event(), new Event()];
    const wait = async (here: Event, there: Event) => {
      here.set();
      await there.wait();
      return 1;
    };
    const first = pool.submit(wait, begun, go);
    await begun.wait();
    assert.equal(await pool.submit(() => 2), 2);
    assert.equal(await pool.submit(async () => 3), 3);
    go.set();
    assert.equal(await first, 1);
  });

  test(`${kind}: terminateWorkers ends everything`, async () => {
    const pool = make({ maxWorkers: 1 });
    const begun = new Event();
    const running = pool.submit(waitFor, begun, new Event());
    const waiting = pool.submit(() => 1);
    await begun.wait();
    const ended = pool.terminateWorkers();
    await assert.rejects(running, BrokenExecutor);
    await assert.rejects(waiting, BrokenExecutor);
    await ended;
    assert.throws(() => pool.submit(() => 1));
  });

  test(`${kind}: workers that never get ready break the pool`, async () => {
    const pool = make({ maxWorkers: 1, initializer: die, initargs: [4] });
    const error = await pool.submit(() => 1).exception();
    assert.ok(error instanceof BrokenExecutor);
    assert.match(error.message, /end before they are ready \(exit code 4\)/);
    await pool.shutdown();
  });

  test(`${kind}: nothing is left of a pool`, async () => {
    await lives(make);
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 3; i++) await lives(make);
    // Sockets close in a later turn; the test's deadline tells if one does not.
    while (readdirSync('/proc/self/fd').length > before) await turn();
  });

  test(`${kind}: nor of one that is ended before its workers are ready`, async () => {
    await lives(make);
    const before = readdirSync('/proc/self/fd').length;
    for (let turns = 0; turns < 400; turns += 40) {
      const pool = make({ maxWorkers: 1 });
      for (let i = 0; i < turns; i++) await turn();
      await pool.killWorkers();
    }
    while (readdirSync('/proc/self/fd').length > before) await turn();
  });

  test(`${kind}: an initializer that never ends does not hold up the end of its pool`, async () => {
    const pool = make({ maxWorkers: 1, grace: 0.05, initializer: endless });
    const call = pool.submit(() => 1);
    await turn();
    await pool.killWorkers();
    await assert.rejects(call.result(), BrokenExecutor);
  });

  test(`${kind}: statistics tell what was done`, async () => {
    await using pool = make();
    await pool.ready();
    await Promise.all(Array.from({ length: 50 }, () => pool.submit(() => 1)));
    await pool.submit(() => Promise.reject(new Error('x'))).exception();
    const { submitted, completed, failed, workers, waitTime, runTime, utilisation } = pool.statistics();
    assert.deepEqual(
      { submitted, completed, failed, workers },
      { submitted: 51, completed: 50, failed: 1, workers: 2 },
    );
    assert.equal(waitTime.count, 51);
    assert.ok(waitTime.quantile(0.5) <= waitTime.quantile(0.99));
    assert.ok(runTime.mean > 0 && utilisation > 0 && utilisation <= 1);
  });
}

for (const [kind, make] of processKinds) {
  test(`${kind}: terminateWorkers ends also a worker that handles SIGTERM and goes on`, async () => {
    const pool = make({ maxWorkers: 1, grace: 0.05 });
    const pid = Number((await pool.submit(whoAmI)).split(' ')[0]);
    const begun = new Event();
    const running = pool.submit(spinOn, begun);
    await begun.wait();
    const ended = pool.terminateWorkers();
    await assert.rejects(running, BrokenExecutor);
    await ended;
    assert.equal(isAlive(pid), false);
  });
}

test('threads: none is started any more once the pool has ended', { skip: forks }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const started: Worker[] = [];
  const listen = (thread: Worker) => void started.push(thread);
  process.on('worker', listen);
  const pool = new ThreadPoolExecutor({ maxWorkers: 2, initializer: die, initargs: [4] });
  while (started.length < 2) await turn();
  await Promise.all(started.map((thread) => once(thread, 'exit')));
  await turn();
  await pool.shutdown();
  t.mock.timers.tick(10_000);
  await turn();
  process.off('worker', listen);
  assert.equal(started.length, 2);
});

test('threads: one that cannot be ended is told of, and the pool goes on without it', async () => {
  const program = fileURLToPath(new URL('./stuck-program.js', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
  assert.equal(
    stdout,
    'TimeoutError\nthread N cannot be ended, native code in it blocks, before it had handed over all items of growing\nstuck the pool goes on\n',
  );
  assert.match(stderr, /SimulWarning: thread \d+ of a pool does not end: it is in native code that blocks/);
});

test('pools with nothing to do use no CPU and do not keep the program alive', async () => {
  const program = fileURLToPath(new URL('./idle-program.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const { idle, pids } = JSON.parse(stdout) as { idle: number; pids: number[] };
  // Milliseconds of CPU in 400, of the program and its threads; busy waiting would be hundreds.
  assert.ok(idle < 40, `${idle} ms`);
  for (const pid of pids) while (isAlive(pid)) await turn();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function lives(make: (typeof kinds)[number][1]): Promise<void> {
  await using pool = make();
  await pool.submit(() => 1);
  await pool.submit(die, 1).exception();
  await pool.submit(() => 1);
}

// A pool with nothing to do does not keep the program alive.
async function event(pool: AnyPool, name: 'left' | 'ready', times: number): Promise<{ why?: string }[]> {
  const seen: { why?: string }[] = [];
  const alive = setInterval(() => {}, 2 ** 30);
  await new Promise<void>((resolve) => {
    pool.on(name, (detail: { worker: string; why?: string }) => {
      seen.push(detail.why === undefined ? {} : { why: detail.why });
      if (seen.length === times) resolve();
    });
  });
  clearInterval(alive);
  return seen;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
