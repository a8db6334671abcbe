// What the tests run elsewhere. Not a test file: threads and processes import it.
import { InvalidArgumentError } from '../../src/base/errors.ts';
import { currentSignal, isWorker, portable, transfer } from '../../src/entry/callable.ts';

const factor = 3;
let starts = 0;
let tellStarted!: (starts: number) => void;
const started = new Promise<number>((tell) => (tellStarted = tell));
let tellReason!: (reason: Error) => void;
const reason = new Promise<Error>((tell) => (tellReason = tell));

export const triple = portable(import.meta, 'triple', (x: number) => x * factor);

export const whereAmI = portable(import.meta, 'whereAmI', () => ({ worker: isWorker(), pid: process.pid }));

export function resize(name: string, width: number): string {
  return `${name}@${width}`;
}

export const notAFunction = 1;

/** Only the caller's abort ends it; `abortReason` then tells what arrived. */
export const untilAborted = portable(import.meta, 'untilAborted', async () => {
  const signal = currentSignal();
  const aborted = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  tellStarted(++starts);
  await aborted;
  tellReason(signal.reason as Error);
});

export const untilStarted = portable(import.meta, 'untilStarted', () => started);

export const countStarts = portable(import.meta, 'countStarts', () => starts);

export const abortReason = portable(import.meta, 'abortReason', async () => {
  const { name, message } = await reason;
  return { name, message };
});

export const fill = portable(import.meta, 'fill', (buffer: ArrayBuffer) => {
  new Uint8Array(buffer).fill(7);
  return transfer({ buffer }, [buffer]);
});

export const size = portable(import.meta, 'size', (value: { pixels: ArrayBuffer }) => value.pixels.byteLength);

export const wait = portable(import.meta, 'wait', (seconds: number) => {
  return new Promise<string>((done) => setTimeout(() => done('waited'), seconds * 1000));
});

export const never = portable(import.meta, 'never', () => new Promise<never>(() => {}));

/** Keeps its thread or process busy, so that only the system can end it. */
export const spin = portable(import.meta, 'spin', () => {
  for (;;);
});

export const exit = portable(import.meta, 'exit', (code: number) => {
  process.exit(code);
});

export const throwLater = portable(import.meta, 'throwLater', () => {
  setImmediate(() => {
    throw new TypeError('nobody catches this');
  });
  return new Promise<never>(() => {});
});

export class PaymentError extends Error {
  readonly code = 'E_PAYMENT';
  readonly amount: number;
  readonly onRetry = () => {};

  constructor(message: string, amount: number, options: ErrorOptions) {
    super(message, options);
    this.amount = amount;
  }
}

export const pay = portable(import.meta, 'pay', (amount: number): void => {
  const cause = new InvalidArgumentError('amount', amount, 'a positive number');
  throw new PaymentError('the card was refused', amount, { cause });
});

export const throwValue = portable(import.meta, 'throwValue', (value: unknown): void => {
  throw value;
});

export const tail = portable(import.meta, 'tail', (text: string) => {
  console.log(text);
});
