import { ContextVar } from '../../src/asyncio/context.ts';
import { currentSignal } from '../../src/callable/context.ts';
import { portable } from '../../src/callable/portable.ts';
import { carryContext } from '../../src/futures/context.ts';
import { transfer } from '../../src/callable/transfer.ts';
import type { Event } from '../../src/multiprocessing/event.ts';

import { existsSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

export const user = carryContext(import.meta, new ContextVar('user', 'nobody'));

export const whoCalls = portable(import.meta, 'whoCalls', async (prefix: string) => {
  const before = user.get();
  await new Promise((resolve) => setImmediate(resolve));
  return `${prefix} ${before} ${user.get()}`;
});

let initialised = 0;

export const initialise = portable(import.meta, 'initialise', (value: number) => {
  initialised = value;
});

export const initialisedAs = portable(import.meta, 'initialisedAs', () => initialised);

export const failToInitialise = portable(import.meta, 'failToInitialise', () => {
  throw new RangeError('no initialisation');
});

export const count = portable(import.meta, 'count', function* (from: number, to: number) {
  for (let i = from; i < to; i++) yield i;
});

export const countForEver = portable(import.meta, 'countForEver', async function* (left: Event) {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    left.set();
  }
});

export const failAfter = portable(import.meta, 'failAfter', function* (items: number) {
  for (let i = 0; i < items; i++) yield i;
  throw new RangeError('after them');
});

export const usersSeen = portable(import.meta, 'usersSeen', async function* (times: number) {
  for (let i = 0; i < times; i++) {
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield user.get();
  }
});

/** Gives one array of a byte and the same large one in turn, and writes their numbers into them. */
export const growing = portable(import.meta, 'growing', function* (items: number) {
  const large = new Uint8Array(200_000);
  for (let i = 1; i <= items; i++) {
    if (i % 2 === 0) yield large.fill(i);
    else {
      const small = new Uint8Array([i]);
      yield transfer(small, [small.buffer]);
    }
  }
});

export const unfit = portable(import.meta, 'unfit', function* (): Generator {
  yield 1;
  yield { call: () => {} };
});

export const oneThenTold = portable(import.meta, 'oneThenTold', async function* (heard: Event) {
  const signal = currentSignal();
  yield 1;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  heard.set();
});

export const oneThenEndless = portable(import.meta, 'oneThenEndless', function* () {
  yield 1;
  for (;;);
});

export const endless = portable(import.meta, 'endless', () => {
  for (;;);
});

export const throwLater = portable(import.meta, 'throwLater', () => {
  setImmediate(() => {
    throw new RangeError('later');
  });
  return new Promise<never>(() => {});
});

export const whichWorker = portable(import.meta, 'whichWorker', () => `${process.pid} ${threadId}`);

/** Waits for its signal; its arguments are not shared ones. */
export const untilAborted = portable(import.meta, 'untilAborted', async (file: string) => {
  const signal = currentSignal();
  writeFileSync(file, 'begun');
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  writeFileSync(file, 'told');
});

/** Waits for its signal, and tells by an event that it heard it. */
export const untilTold = portable(import.meta, 'untilTold', async (begun: Event, heard: Event) => {
  const signal = currentSignal();
  begun.set();
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  heard.set();
  throw signal.reason;
});

export const spin = portable(import.meta, 'spin', (begun: Event) => {
  begun.set();
  for (;;);
});

/** Does not end by SIGTERM either. */
export const spinOn = portable(import.meta, 'spinOn', (begun: Event) => {
  process.on('SIGTERM', () => {});
  begun.set();
  for (;;);
});

export const waitFor = portable(import.meta, 'waitFor', (begun: Event, go: Event) => {
  begun.set();
  go.waitSync();
  return 'gone on';
});

/** Blocks until the file is gone; nothing of it goes by message. */
export const whileThere = portable(import.meta, 'whileThere', (file: string) => {
  while (existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
});

export const invert = portable(import.meta, 'invert', (pixels: Uint8Array) => {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]!;
  return transfer(pixels, [pixels.buffer]);
});

export const hog = portable(import.meta, 'hog', () => {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(1 << 20, 1));
});

/** Holds that many MB from now on. */
export const hold = portable(import.meta, 'hold', (megabytes: number) => {
  held.push(Buffer.alloc(megabytes << 20, 1));
});

/** Holds that many MB some time after it has returned. */
export const holdLater = portable(import.meta, 'holdLater', (megabytes: number, go: Event, done: Event) => {
  void go.wait().then(() => {
    hold(megabytes);
    done.set();
  });
});

const held: Buffer[] = [];

export const hogHeap = portable(import.meta, 'hogHeap', () => {
  // No array that grows: its last growth would end the whole program.
  let kept: object | undefined;
  for (let i = 0; ; i++) kept = { kept, text: `${i}` };
});

export const whoAmI = portable(import.meta, 'whoAmI', () => `${process.pid} ${threadId}`);

export const die = portable(import.meta, 'die', (code: number) => process.exit(code));

export const killMyself = portable(import.meta, 'killMyself', () => {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
});

export const plain = portable(import.meta, 'plain', (i: number) => i);

export const later = portable(import.meta, 'later', async (i: number) => {
  await new Promise((resolve) => setImmediate(resolve));
  return i;
});

export const fail = portable(import.meta, 'fail', (i: number) => {
  throw new RangeError(`failed ${i}`);
});

export const never = portable(import.meta, 'never', () => {
  for (;;);
});

export const dieSoon = portable(import.meta, 'dieSoon', async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(2);
});

/** Does not like some numbers. */
export const picky = portable(import.meta, 'picky', (i: number) => {
  if (i % 97 === 96) throw new RangeError(`not ${i}`);
  return i;
});

/** Whether this call has been told to stop. */
export const isTold = portable(import.meta, 'isTold', () => currentSignal().aborted);

/** Ends once another call, at the same time, has been given these two files the other way round. */
export const meet = portable(import.meta, 'meet', (own: string, other: string) => {
  writeFileSync(own, '');
  for (const end = Date.now() + 20_000; !existsSync(other);) if (Date.now() > end) throw new Error('nobody came');
  return 'met';
});
