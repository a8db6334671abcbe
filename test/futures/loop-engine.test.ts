// The engine whose workers are slots of this very event loop: the pools `async` and `solo` of the task worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, ClosedError, FullError, TimeoutError, UnsupportedError } from '../../src/base/errors.ts';
import { currentSignal } from '../../src/callable/context.ts';
import type { AnyFunction } from '../../src/callable/registry.ts';
import { BrokenExecutor } from '../../src/entry/futures.ts';
import type { LoopOptions } from '../../src/futures/engine/loop-engine.ts';
import { LoopEngine } from '../../src/futures/engine/loop-engine.ts';
import type { LoopCall } from '../../src/futures/engine/loop-call.ts';
import type { SubmitOptions } from '../../src/futures/options.ts';

interface Called {
  readonly call: LoopCall;
  readonly result: Promise<unknown>;
}

function run(engine: LoopEngine, fn: AnyFunction, args: unknown[] = [], options?: SubmitOptions): Called {
  const { promise, resolve, reject } = deferred<unknown>();
  promise.catch(() => {});
  return { call: engine.call(fn, args, { fulfil: resolve, fail: reject }, options), result: promise };
}

const open = (options: LoopOptions = {}) => new LoopEngine({ maxWorkers: 2, grace: 60, ...options });

test('functions need not cross anything, and run as many at a time as there are slots', async () => {
  const engine = open();
  const [begun, gates]: [number[], ReturnType<typeof deferred<void>>[]] = [[], []];
  const wait = (i: number) => {
    begun.push(i);
    gates.push(deferred());
    return gates.at(-1)!.promise.then(() => i);
  };
  const calls = [0, 1, 2, 3].map((i) => run(engine, wait, [i]));
  assert.deepEqual(begun, [0, 1]);
  assert.deepEqual(calls.map(({ call }) => call.running()), [true, true, false, false]); // prettier-ignore
  gates[1]!.resolve();
  assert.equal(await calls[1]!.result, 1);
  assert.deepEqual(begun, [0, 1, 2]);
  engine.resize(3);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  for (const gate of gates) gate.resolve();
  assert.deepEqual(await Promise.all(calls.map(({ result }) => result)), [0, 1, 2, 3]);
  const { submitted, completed, running, queued, workers, idleWorkers, runTime, waitTime } = engine.statistics();
  assert.deepEqual([submitted, completed, running, queued, workers, idleWorkers], [4, 4, 0, 0, 3, 3]);
  assert.deepEqual([runTime.count, waitTime.count], [4, 4]);
});

test('with one slot calls run one after the other, by priority, also those made by a call', async () => {
  const engine = open({ maxWorkers: 1 });
  const seen: string[] = [];
  const gate = deferred();
  const first = run(engine, async () => {
    await gate.promise;
    seen.push('first');
  });
  const nested = () => {
    seen.push('outer');
    void run(engine, () => seen.push('inner'));
    seen.push('outer still');
  };
  const rest = [
    run(engine, nested),
    run(engine, () => seen.push('plain')),
    run(engine, () => seen.push('urgent'), [], { priority: 5 }),
  ];
  gate.resolve();
  for (const { result } of [first, ...rest]) await result;
  assert.deepEqual(seen, ['first', 'urgent', 'outer', 'outer still', 'plain', 'inner']);
});

test('many short calls let other events have their turn', async () => {
  const engine = open({ maxWorkers: 1 });
  const gate = deferred();
  run(engine, () => gate.promise);
  let turns = 0;
  const busy = () => {
    const end = performance.now() + 6;
    while (performance.now() < end);
    return turns;
  };
  const calls = Array.from({ length: 6 }, () => run(engine, busy));
  const turn = () => setImmediate(() => ++turns < 100 && turn());
  turn();
  gate.resolve();
  const seen = (await Promise.all(calls.map(({ result }) => result))) as number[];
  assert.ok(seen.at(-1)! > seen[0]!, seen.join());
});

test('what a call throws, at once or later, fails it alone', async () => {
  const engine = open();
  await assert.rejects(run(engine, () => { throw new RangeError('at once'); }).result, RangeError); // prettier-ignore
  await assert.rejects(run(engine, () => Promise.reject(new TypeError('later'))).result, TypeError);
  assert.equal(await run(engine, (a: number, b: number) => a + b, [1, 2]).result, 3);
  assert.equal(engine.statistics().failed, 2);
});

test('a time limit fails the call and tells it; one that does not stop gives up its slot', async () => {
  const engine = open({ maxWorkers: 1, grace: 0.01 });
  const events: unknown[] = [];
  engine.on('timeout', ({ timeout }) => events.push(timeout));
  const stuck = deferred();
  engine.on('stuck', ({ worker }) => {
    events.push(worker);
    stuck.resolve();
  });
  const told = deferred<unknown>();
  const deaf = deferred();
  const endless = () => {
    const signal = currentSignal();
    signal.addEventListener('abort', () => told.resolve(signal.reason));
    return deaf.promise;
  };
  const late = run(engine, endless, [], { timeout: 0.01 });
  const next = run(engine, () => 'next');
  await assert.rejects(late.result, TimeoutError);
  assert.ok((await told.promise) instanceof TimeoutError);
  await stuck.promise;
  assert.equal(await next.result, 'next');
  assert.deepEqual(events, [0.01, 'the event loop']);
  deaf.resolve();
  await turn();
  const { timedOut, completed, running } = engine.statistics();
  assert.deepEqual([timedOut, completed, running], [1, 1, 0]);
});

test('calls are cancelled by their handle and by a signal, whether they wait or run', async () => {
  const engine = open({ maxWorkers: 1 });
  const abort = new AbortController();
  const heard: unknown[] = [];
  const listening = () =>
    new Promise<void>((resolve) => {
      currentSignal().addEventListener('abort', () => (heard.push('heard'), resolve()));
    });
  const running = run(engine, listening, [], { signal: abort.signal });
  const waiting = run(engine, () => 1, [], { signal: abort.signal });
  const taken = run(engine, () => 2);
  assert.equal(taken.call.revoke(false), true);
  assert.equal(running.call.revoke(false), false);
  abort.abort();
  await assert.rejects(running.result, CancelledError);
  await assert.rejects(waiting.result, CancelledError);
  await assert.rejects(run(engine, () => 3, [], { signal: abort.signal }).result, CancelledError);
  await turn();
  const again = run(engine, listening);
  assert.equal(again.call.revoke(true), true);
  await turn();
  assert.deepEqual(heard, ['heard', 'heard']);
  assert.equal(await run(engine, () => 4).result, 4);
  assert.equal(engine.statistics().cancelled, 5);
});

test('a call that is told to stop ends as it likes; one that has not begun fails', async () => {
  const engine = open({ maxWorkers: 1 });
  const listening = () => {
    const signal = currentSignal();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
  };
  const running = run(engine, listening);
  const waiting = run(engine, () => 1);
  const reason = new Error('enough');
  for (const { call } of [running, waiting]) call.tell(reason);
  assert.equal(await running.result, reason);
  await assert.rejects(waiting.result, reason);
  running.call.tell(reason);
});

test('the queue is bounded, the end waits for what there is, and nothing is taken after it', async () => {
  const engine = open({ maxWorkers: 1, maxQueue: 1 });
  const gate = deferred();
  const running = run(engine, () => gate.promise);
  const waiting = run(engine, () => 'waited');
  assert.throws(() => run(engine, () => 1), FullError);
  engine.close();
  assert.throws(() => run(engine, () => 1), ClosedError);
  await assert.rejects(engine.join({ timeout: 0.01 }), TimeoutError);
  gate.resolve();
  await running.result;
  assert.equal(await waiting.result, 'waited');
  await engine.join();
});

test('terminate fails everything at once and tells what runs', async () => {
  const engine = open({ maxWorkers: 1 });
  let told = false;
  const deaf = () => {
    currentSignal().addEventListener('abort', () => (told = true));
    return new Promise(() => {});
  };
  const calls = [run(engine, deaf), run(engine, () => 1)];
  await engine.terminate('SIGKILL');
  for (const { result } of calls) await assert.rejects(result, ClosedError);
  assert.equal(told, true);
});

test('an initializer runs before the first call, and breaks the engine if it throws', async () => {
  let ready = 0;
  const engine = open({ initializer: async (n: number) => { await turn(); ready = n; }, initargs: [5] }); // prettier-ignore
  assert.equal(await run(engine, () => ready).result, 5);
  await engine.ready();
  const failing = open({ initializer: () => Promise.reject(new RangeError('no')) });
  const call = run(failing, () => 1);
  await assert.rejects(failing.ready(), (error: Error) => error instanceof BrokenExecutor && error.cause instanceof RangeError); // prettier-ignore
  await assert.rejects(call.result, BrokenExecutor);
  assert.throws(() => run(failing, () => 1), BrokenExecutor);
});

test('limits that an event loop cannot keep are refused', () => {
  assert.throws(() => open({ memoryLimit: 1 << 30 }), UnsupportedError);
  assert.throws(() => open({ maxTasksPerChild: 5 }), UnsupportedError);
  assert.throws(() => open({ maxWorkers: 0 }), { argument: 'maxWorkers' });
  assert.throws(() => run(open(), () => 1, [], { timeout: -1 }), { argument: 'timeout' });
});

function turn(): Promise<void> {
  return new Promise(setImmediate);
}
