import { ContextVar } from '../../src/asyncio/context.ts';
import { currentSignal } from '../../src/callable/context.ts';
import { portable } from '../../src/callable/portable.ts';
import { carryContext } from '../../src/futures/context.ts';
import { transfer } from '../../src/callable/transfer.ts';
import type { Event } from '../../src/multiprocessing/event.ts';

import { writeFileSync } from 'node:fs';
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

export const waitFor = portable(import.meta, 'waitFor', (begun: Event, go: Event) => {
  begun.set();
  go.waitSync();
  return 'gone on';
});

export const invert = portable(import.meta, 'invert', (pixels: Uint8Array) => {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]!;
  return transfer(pixels, [pixels.buffer]);
});

export const hog = portable(import.meta, 'hog', () => {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(1 << 20, 1));
});

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

/** Whether this call has been told to stop. */
export const isTold = portable(import.meta, 'isTold', () => currentSignal().aborted);
