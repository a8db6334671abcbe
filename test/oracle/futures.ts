// The same calls as in futures.py.
import { isWorker, portable } from '../../src/entry/callable.ts';
import { ClosedError, InvalidArgumentError } from '../../src/entry/errors.ts';
import type { ExecutorOptions, WorkerPool } from '../../src/entry/futures.ts';
import {
  ALL_COMPLETED,
  asCompleted,
  BrokenExecutor,
  CancelledError,
  Executor,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  InvalidStateError,
  ProcessPoolExecutor,
  ThreadPoolExecutor,
  TimeoutError,
  wait,
  WorkerLostError,
} from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';

type Make = (workers: number, options?: ExecutorOptions) => Executor & WorkerPool;

function say(...words: unknown[]): void {
  console.log(
    words
      .map((word) => word ?? 'none')
      .map(String)
      .join(' '),
  );
}

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof InvalidArgumentError) return 'refused';
    if (error instanceof BrokenExecutor || error instanceof WorkerLostError) return 'broken';
    if (error instanceof InvalidStateError) return 'invalid state';
    if (error instanceof TimeoutError) return 'timed out';
    if (error instanceof CancelledError) return 'cancelled';
    if (error instanceof ClosedError) return 'closed';
    return `${(error as Error).name} ${(error as Error).message}`;
  }
}

const square = (n: number) => n * n;
const subtract = (a: number, b: number) => a - b;
const fail = (word: string) => {
  throw new RangeError(word);
};
const failAt3 = (n: number) => {
  if (n === 3) throw new RangeError('three');
  return n;
};
const passGate = <T>(gate: Event, begun: Event, value: T): T => {
  begun.set();
  gate.waitSync();
  return value;
};
const die = () => process.exit(3);

let initialised = 'not initialised';
export const initialise = portable(import.meta, 'initialise', (value: string) => {
  initialised = value;
});
export const initialisedAs = portable(import.meta, 'initialisedAs', () => initialised);

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of iterable) list.push(item);
  return list;
}

async function results(make: Make): Promise<void> {
  await using pool = make(2);
  const future = pool.submit(subtract, 7, 2);
  say(await future, future.done(), future.running(), future.cancelled(), await future.exception(), future.cancel());
  const failed = pool.submit(fail, 'far');
  const error = (await failed.exception()) as Error;
  say(error.name, error.message, failed.done(), failed.cancelled(), await outcome(() => failed.result()));
}

async function maps(make: Make): Promise<void> {
  await using pool = make(2);
  say(...(await all(pool.map(square, [1, 2, 3, 4]))));
  say(...(await all(pool.map(subtract, [10, 20, 30], [1, 2]))));
  say(...(await all(pool.map(square, Array(10).keys(), { chunksize: 3 }))));
  say((await all(pool.map(square, []))).length);
  const iterator = pool.map(failAt3, [1, 2, 3, 4]);
  say((await iterator.next()).value, (await iterator.next()).value, await outcome(() => iterator.next()));
  say((await all(iterator)).length);
}

async function cancellation(make: Make): Promise<void> {
  await using pool = make(1);
  const [gate, begun] = [new Event(), new Event()];
  const first = pool.submit(passGate<string>, gate, begun, 'first');
  const others = [0, 1, 2, 3, 4, 5].map((n) => pool.submit(square, n));
  await begun.wait();
  const last = others[5]!;
  say(first.running(), first.cancel(), first.cancelled());
  const said: string[] = [];
  last.addDoneCallback(() => said.push('told'));
  say(last.running(), last.cancel(), last.cancelled(), last.done(), last.cancel(), ...said);
  say(await outcome(() => last.result()), await outcome(() => last.exception()));
  gate.set();
  say(await first, ...(await Promise.all(others.slice(0, 5))));
}

async function waits(make: Make): Promise<void> {
  {
    await using pool = make(1);
    const [gate, begun] = [new Event(), new Event()];
    const future = pool.submit(passGate<string>, gate, begun, 'gate');
    await begun.wait();
    for (const returnWhen of [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED] as const) {
      const { done, notDone } = await wait([future], { timeout: 0.02, returnWhen });
      say(returnWhen, done.size, notDone.size);
    }
    gate.set();
    await future;
    say(...sizes(await wait([future])), ...sizes(await wait([])));
    say(...sizes(await wait([future, future])));
  }
  await using pool = make(2);
  const [gate, begun] = [new Event(), new Event()];
  const blocked: Future<unknown> = pool.submit(passGate<string>, gate, begun, 'blocked');
  await begun.wait();
  const cases: [typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION, Future<unknown>][] = [
    [FIRST_COMPLETED, pool.submit(square, 3)],
    [FIRST_EXCEPTION, pool.submit(fail, 'far')],
  ];
  cases[1]![1].catch(() => {});
  for (const [returnWhen, other] of cases) {
    const { done, notDone } = await wait([blocked, other], { returnWhen });
    say(returnWhen, done.has(other), notDone.has(blocked));
  }
  gate.set();
  say(...sizes(await wait([blocked, cases[1]![1]], { returnWhen: ALL_COMPLETED })));
  say(await outcome(() => wait([new Future()], { returnWhen: 'SOMETIMES' as never })));
}

function sizes({ done, notDone }: { done: Set<unknown>; notDone: Set<unknown> }): [number, number] {
  return [done.size, notDone.size];
}

async function completion(make: Make): Promise<void> {
  await using pool = make(2);
  const [gate, begun] = [new Event(), new Event()];
  const blocked: Future<string | number> = pool.submit(passGate<string>, gate, begun, 'blocked');
  await begun.wait();
  const quick: Future<string | number> = pool.submit(square, 4);
  const order = asCompleted([blocked, quick]);
  say(await next(order));
  gate.set();
  say(await next(order), (await all(order)).length);
  say((await all(asCompleted([quick, quick]))).length, (await all(asCompleted([]))).length);
  const shut = new Event();
  const late: Future<string | number> = pool.submit(passGate<string>, shut, begun, 'late');
  try {
    for await (const [future] of asCompleted([quick, late], { timeout: 0.05 })) say(await future);
  } catch (error) {
    say((error as Error).name, (error as Error).message);
  }
  shut.set();
  say(await late);
}

async function next<T>(order: AsyncIterator<[Future<T>], void>): Promise<T | undefined> {
  const step = await order.next();
  return step.done === true ? undefined : await step.value[0];
}

async function timeouts(make: Make): Promise<void> {
  await using pool = make(1);
  const gate = new Event();
  const future = pool.submit(passGate<string>, gate, new Event(), 'at last');
  const soon = { timeout: 0.01 };
  say(await outcome(() => future.result(soon)), await outcome(() => future.exception(soon)), future.done());
  gate.set();
  say(await future.result({ timeout: 60 }), await future.exception({ timeout: 0 }));
}

async function callbacks(make: Make): Promise<void> {
  await using pool = make(1);
  const gate = new Event();
  const said: string[] = [];
  const future = pool.submit(passGate<string>, gate, new Event(), 'value');
  // A callback is no coroutine: what it can read at once is that it is done.
  future.addDoneCallback((done) => said.push(`first ${done.done() ? 'value' : ''}`));
  future.addDoneCallback(() => fail('in a callback'));
  future.addDoneCallback((done) => said.push(`third ${done === future}`));
  gate.set();
  await pool.submit(square, 1);
  say(...said);
  future.addDoneCallback(() => said.push('at once'));
  future.addDoneCallback(() => fail('in a callback'));
  say(said.at(-1));
}

async function shutdowns(make: Make): Promise<void> {
  const numbers = [0, 1, 2, 3, 4, 5];
  const begin = async () => {
    const [pool, gate, begun] = [make(1), new Event(), new Event()];
    const blocked = pool.submit(passGate<string>, gate, begun, 'blocked');
    const others = numbers.map((n) => pool.submit(square, n));
    await begun.wait();
    return { pool, gate, blocked, others };
  };
  {
    const { pool, gate, blocked, others } = await begin();
    await pool.shutdown({ wait: false });
    say(await outcome(() => pool.submit(square, 1)), await outcome(() => pool.map(square, [1])), blocked.done());
    gate.set();
    await pool.shutdown();
    say(await blocked, ...(await Promise.all(others)));
    await pool.shutdown();
  }
  const { pool, gate, blocked, others } = await begin();
  await pool.shutdown({ wait: false, cancelFutures: true });
  await wait([others[5]!]);
  gate.set();
  await pool.shutdown();
  say(await blocked, others[5]!.cancelled(), await outcome(() => others[5]!.result()));
}

async function initializers(make: Make): Promise<void> {
  {
    await using pool = make(2, { initializer: initialise, initargs: ['ready'] });
    say(...(await Promise.all([1, 2, 3].map(() => pool.submit(initialisedAs)))));
  }
  await using pool = make(1, { initializer: () => Promise.reject(new RangeError('no')) });
  say(await outcome(() => pool.submit(square, 1)), await outcome(() => pool.submit(square, 1)));
}

async function deaths(make: Make): Promise<void> {
  await using pool = make(1);
  say(await outcome(() => pool.submit(die)));
}

async function byHand(): Promise<void> {
  const future = new Future<number>();
  say(future.done(), future.running(), future.setRunningOrNotifyCancel(), future.running(), future.cancel());
  future.setResult(5);
  const again = [() => future.setResult(6), () => future.setException(new RangeError('x'))];
  say(await future, await outcome(again[0]!), await outcome(again[1]!));
  const cancelled = new Future<number>();
  say(cancelled.cancel(), cancelled.setRunningOrNotifyCancel(), await outcome(() => cancelled.setResult(1)));
  const failed = new Future<number>();
  failed.setException(new RangeError('given'));
  const given = await outcome(() => failed.result());
  say(given, ((await failed.exception()) as Error).message, failed.done(), failed.running());
  say(await outcome(() => new Future().result({ timeout: 0 })));
}

async function withArguments(make: Make): Promise<void> {
  for (const workers of [0, -1]) say(await outcome(() => make(workers)));
}

const scenarios = {
  results,
  maps,
  cancellation,
  waits,
  completion,
  timeouts,
  callbacks,
  shutdowns,
  initializers,
  byHand,
  arguments: withArguments,
};

async function main(): Promise<void> {
  const threads: Make = (maxWorkers, options) => new ThreadPoolExecutor({ maxWorkers, ...options });
  const processes: Make = (maxWorkers, options) => new ProcessPoolExecutor({ maxWorkers, ...options });
  for (const make of [threads, processes]) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      console.log('#', make.name, name.toLowerCase());
      await scenario(make);
    }
  }
  console.log('# deaths');
  await deaths(processes);
}

if (!isWorker()) await main();
