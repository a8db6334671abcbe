// The same calls as in pool.py.
import { threadId } from 'node:worker_threads';
import { isWorker, portable } from '../../src/entry/callable.ts';
import { InvalidArgumentError, InvalidStateError, TimeoutError } from '../../src/entry/errors.ts';
import type { ExecutorOptions } from '../../src/entry/futures.ts';
import { Pool, ThreadPool } from '../../src/entry/futures.ts';
import { Event } from '../../src/entry/multiprocessing.ts';

type Make = (workers: number, options?: ExecutorOptions) => Pool | ThreadPool;

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
    // Python has ValueError for both.
    if (error instanceof InvalidArgumentError || error instanceof InvalidStateError) return 'refused';
    if (error instanceof TimeoutError) return 'timed out';
    return `${(error as Error).name} ${(error as Error).message}`;
  }
}

const step = async (iterator: AsyncIterator<unknown>): Promise<unknown> => {
  const { done, value } = await iterator.next();
  return done === true ? 'over' : value;
};

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of iterable) list.push(item);
  return list;
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
const passGate = (gate: Event, begun: Event, value: string) => {
  begun.set();
  gate.waitSync();
  return value;
};
const gateOrSquare = (item: Event | number) => {
  if (typeof item === 'number') return item * item;
  item.waitSync();
  return 'gate';
};

let initialised = 'not initialised';
export const initialise = portable(import.meta, 'initialise', (value: string) => {
  initialised = value;
});
export const initialisedAs = portable(import.meta, 'initialisedAs', () => initialised);
export const worker = portable(import.meta, 'worker', () => `${process.pid} ${threadId}`);

async function apply(make: Make): Promise<void> {
  await using pool = make(2);
  say(await pool.apply(square, [5]), await pool.apply(subtract, [7, 2]));
  say(await outcome(() => pool.apply(fail, ['far'])));
}

async function applyAsync(make: Make): Promise<void> {
  await using pool = make(2);
  const gate = new Event();
  const result = pool.applyAsync(passGate, [gate, new Event(), 'value']);
  const soon = { timeout: 0.01 };
  const refused = await outcome(() => result.successful());
  say(result.ready(), refused, await outcome(() => result.get(soon)), await outcome(() => result.wait(soon)));
  gate.set();
  say(await result.get(), result.ready(), result.successful(), await result.get({ timeout: 0 }));
  const failed = pool.applyAsync(fail, ['far'], { errorCallback: () => {} });
  await failed.wait();
  say(failed.ready(), failed.successful(), await outcome(() => failed.get()));
}

async function callbacks(make: Make): Promise<void> {
  await using pool = make(1);
  const said: string[] = [];
  const written = (value: unknown) => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));
  const both = {
    callback: (value: unknown) => void said.push(`result ${written(value)}`),
    errorCallback: (error: unknown) => void said.push(`error ${(error as Error).message}`),
  };
  const results = [
    pool.applyAsync(square, [3], both),
    pool.applyAsync(fail, ['far'], both),
    pool.mapAsync(square, [1, 2], { chunksize: 1, ...both }),
    pool.starmapAsync(
      subtract,
      [
        [5, 1],
        [9, 2],
      ],
      { chunksize: 1, ...both },
    ),
    pool.mapAsync(failAt3, [1, 3, 2], { chunksize: 1, ...both }),
  ];
  for (const result of results) await result.wait();
  say(said.join(', '));
}

async function maps(make: Make): Promise<void> {
  await using pool = make(2);
  const fives = await pool.map(square, Array(5).keys(), { chunksize: 2 });
  say(...(await pool.map(square, [1, 2, 3])), ...fives, (await pool.map(square, [])).length);
  const pairs: [number, number][] = [
    [10, 1],
    [20, 2],
  ];
  say(...(await pool.starmap(subtract, pairs)), ...(await pool.starmap(subtract, pairs, { chunksize: 5 })));
  say(await outcome(() => pool.map(failAt3, [1, 2, 3, 4], { chunksize: 1 })));
  const result = pool.mapAsync(square, [3, 4]);
  say(...(await result.get()), result.successful());
}

async function imaps(make: Make): Promise<void> {
  await using pool = make(2);
  const more = pool.imap(square, [4, 5, 6].values(), { chunksize: 2 });
  say(...(await all(pool.imap(square, [1, 2, 3]))), ...(await all(more)));
  const ordered = pool.imap(failAt3, [1, 2, 3, 4]);
  const steps: unknown[] = [];
  for (let i = 0; i < 6; i++) steps.push(await outcome(() => step(ordered)));
  say(...steps);
  const six = await all(pool.imapUnordered(square, Array(6).keys(), { chunksize: 2 }));
  say(...six.sort((a, b) => a - b));
  const failing = pool.imapUnordered(failAt3, [3]);
  say(await outcome(() => step(failing)), await outcome(() => step(failing)));
  const none = { chunksize: 0 };
  say(await outcome(() => pool.imap(square, [1], none)), await outcome(() => pool.imapUnordered(square, [1], none)));
}

async function unordered(make: Make): Promise<void> {
  await using pool = make(2);
  const gate = new Event();
  const iterator = pool.imapUnordered(gateOrSquare, [gate, 3]);
  say(await step(iterator));
  gate.set();
  say(await step(iterator), await step(iterator));
}

async function ends(make: Make): Promise<void> {
  {
    const [pool, gate, begun] = [make(1), new Event(), new Event()];
    say(await outcome(() => pool.join()));
    const result = pool.applyAsync(passGate, [gate, begun, 'finished']);
    await begun.wait();
    const waiting = pool.mapAsync(square, [1, 2, 3]);
    pool.close();
    pool.close();
    say(await outcome(() => pool.apply(square, [1])));
    say(await outcome(() => pool.applyAsync(square, [1])));
    say(await outcome(() => pool.map(square, [1])));
    say(await outcome(() => pool.mapAsync(square, [1])));
    say(await outcome(() => pool.starmap(square, [[1]])));
    say(await outcome(() => pool.imap(square, [1])));
    say(await outcome(() => pool.imapUnordered(square, [1])));
    gate.set();
    await pool.join();
    say(await result.get(), ...(await waiting.get()));
  }
  const pool = make(1);
  await pool.terminate();
  await pool.terminate();
  await pool.join();
  say(await outcome(() => pool.apply(square, [1])));
}

async function termination(make: Make): Promise<void> {
  const pool = make(1);
  {
    await using open = pool;
    say(await open.apply(square, [2]));
  }
  say(await outcome(() => pool.apply(square, [2])));
}

async function initializers(make: Make): Promise<void> {
  await using pool = make(2, { initializer: initialise, initargs: ['ready'] });
  const said: string[] = [];
  for (let i = 0; i < 3; i++) said.push(await pool.apply(initialisedAs, []));
  say(...said);
}

async function recycling(): Promise<void> {
  await using pool = new Pool(1, { maxTasksPerChild: 2 });
  const pids: string[] = [];
  for (let i = 0; i < 6; i++) pids.push(await pool.apply(worker, []));
  say(new Set(pids).size, pids[0] === pids[1], pids[1] === pids[2]);
}

async function withArguments(make: Make): Promise<void> {
  for (const workers of [0, -1]) say(await outcome(() => make(workers)));
}

const scenarios = {
  apply,
  applyAsync,
  callbacks,
  maps,
  imaps,
  unordered,
  ends,
  termination,
  initializers,
  arguments: withArguments,
};

async function main(): Promise<void> {
  const threads: Make = (workers, options) => new ThreadPool(workers, options);
  const processes: Make = (workers, options) => new Pool(workers, options);
  for (const make of [threads, processes]) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      console.log('#', make.name, name.toLowerCase());
      await scenario(make);
    }
  }
  console.log('# recycling');
  await recycling();
}

if (!isWorker()) await main();
