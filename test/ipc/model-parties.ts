// The parties of the model tests: each does random things to a shared object and watches its invariants.
import { setImmediate as turn } from 'node:timers/promises';
import { TimeoutError } from '../../src/base/errors.ts';
import type { SharedBarrier } from '../../src/ipc/barrier.ts';
import type { SharedCondition } from '../../src/ipc/condition.ts';
import type { SharedLock } from '../../src/ipc/lock.ts';
import type { SharedQueue } from '../../src/ipc/queue.ts';
import type { SharedRLock } from '../../src/ipc/rlock.ts';
import type { SharedSemaphore } from '../../src/ipc/semaphore.ts';
import type { RawArray } from '../../src/multiprocessing/array.ts';

/** Words that all parties see: how many are inside, a counter changed without atomics, violations, what is there. */
export type Cells = RawArray<'int32'>;
const INSIDE = 0;
const COUNTER = 1;
const STOCK = 2;
const READY = 3;

export interface ModelOptions {
  readonly rounds: number;
  readonly seed: number;
  /** How many there are. */
  readonly parties: number;
  /** Seconds after which a wait counts as hung. */
  readonly patience: number;
}

export async function useLock(lock: SharedLock, cells: Cells, options: ModelOptions): Promise<number> {
  await start(cells, options);
  const random = generator(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    await take(lock, random, options.patience);
    await critical(cells, random, 1);
    lock.release();
  }
  return options.rounds;
}

export async function useRLock(lock: SharedRLock, cells: Cells, options: ModelOptions): Promise<number> {
  await start(cells, options);
  const random = generator(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    const depth = 1 + Math.floor(random() * 3);
    for (let i = 0; i < depth; i++) await take(lock, random, options.patience);
    await critical(cells, random, 1);
    for (let i = 0; i < depth; i++) lock.release();
  }
  return options.rounds;
}

export async function useSemaphore(
  semaphore: SharedSemaphore,
  cells: Cells,
  permits: number,
  options: ModelOptions,
): Promise<number> {
  await start(cells, options);
  const random = generator(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    await take(semaphore, random, options.patience);
    if (Atomics.add(cells.view, INSIDE, 1) >= permits) throw new Error('more inside than permits');
    if (random() < 0.3) await turn();
    Atomics.sub(cells.view, INSIDE, 1);
    semaphore.release();
  }
  return options.rounds;
}

/** A store of at most three, filled and emptied under a condition. */
export async function produce(condition: SharedCondition, cells: Cells, options: ModelOptions): Promise<void> {
  const random = generator(options.seed);
  const { view } = cells;
  for (let i = 0; i < options.rounds; i++) await change(condition, random, options, () => view[STOCK]! < 3, 1, view);
}

export async function consume(condition: SharedCondition, cells: Cells, options: ModelOptions): Promise<void> {
  const random = generator(options.seed);
  const { view } = cells;
  for (let i = 0; i < options.rounds; i++) await change(condition, random, options, () => view[STOCK]! > 0, -1, view);
}

export async function usePhases(
  barrier: SharedBarrier,
  cells: Cells,
  parties: number,
  { rounds, seed, patience }: ModelOptions,
): Promise<void> {
  const random = generator(seed);
  for (let round = 1; round <= rounds; round++) {
    Atomics.add(cells.view, COUNTER, 1);
    if (random() < 0.5) barrier.waitSync({ timeout: patience });
    else await barrier.wait({ timeout: patience });
    if (Atomics.load(cells.view, COUNTER) < round * parties) throw new Error('let go before all had come');
    barrier.waitSync({ timeout: patience });
  }
}

/** An item: who made it, and its number there. */
export type Item = readonly [producer: number, number: number, padding: string];

export async function fill(queue: SharedQueue<Item>, producer: number, options: ModelOptions): Promise<void> {
  const random = generator(options.seed);
  for (let number = 0; number < options.rounds; number++) {
    const item: Item = [producer, number, 'x'.repeat(Math.floor(random() * 40))];
    if (random() < 0.5) queue.putSync(item, { timeout: options.patience });
    else await queue.put(item, { timeout: options.patience });
  }
}

/** Takes until the queue is shut down; gives what came, by producer, in the order in which it came. */
export async function drain(queue: SharedQueue<Item>, producers: number, options: ModelOptions): Promise<number[][]> {
  const random = generator(options.seed);
  const came = Array.from({ length: producers }, (): number[] => []);
  for (;;) {
    try {
      const [producer, number] = random() < 0.5 ? queue.getSync({ timeout: options.patience }) : await queue.get();
      came[producer]!.push(number);
    } catch (error) {
      if ((error as Error).name === 'ClosedError') return came;
      throw error;
    }
  }
}

// Or the first would be through before the last has begun.
async function start({ view }: Cells, { parties }: ModelOptions): Promise<void> {
  Atomics.add(view, READY, 1);
  while (Atomics.load(view, READY) < parties) await turn();
}

async function change(
  condition: SharedCondition,
  random: () => number,
  { patience }: ModelOptions,
  possible: () => boolean,
  by: number,
  view: Int32Array,
): Promise<void> {
  if (random() < 0.5) condition.acquireSync({ timeout: patience });
  else await condition.acquire({ timeout: patience });
  if (random() < 0.5) condition.waitForSync(possible, { timeout: patience });
  else await condition.waitFor(possible, { timeout: patience });
  view[STOCK]! += by;
  if (view[STOCK]! < 0 || view[STOCK]! > 3) throw new Error('the store holds what it cannot hold');
  condition.notifyAll();
  condition.release();
}

async function take(lock: SharedLock | SharedSemaphore, random: () => number, patience: number): Promise<void> {
  const way = random();
  if (way < 0.1 && lock.tryAcquire()) return;
  if (way < 0.3 && (await briefly(lock))) return;
  const start = performance.now();
  if (way < 0.65) lock.acquireSync({ timeout: patience });
  else await lock.acquire({ timeout: patience });
  // Taken at the very last moment: it had been free, and nobody had said so.
  if (performance.now() - start >= patience * 1000) throw new Error('a wake-up was lost');
}

async function briefly(lock: SharedLock | SharedSemaphore): Promise<boolean> {
  try {
    return await lock.acquire({ timeout: 0.001 });
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}

async function critical({ view }: Cells, random: () => number, most: number): Promise<void> {
  if (Atomics.add(view, INSIDE, 1) >= most) throw new Error('two inside at once');
  const seen = view[COUNTER]!;
  const pause = random();
  if (pause < 0.4) await turn();
  else for (let spin = 0; spin < pause * 3000; spin++) Atomics.load(view, COUNTER);
  view[COUNTER] = seen + 1;
  Atomics.sub(view, INSIDE, 1);
}

function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
