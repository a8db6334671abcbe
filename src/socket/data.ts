import { InvalidArgumentError } from '../base/errors.ts';

/** What is to be sent, as bytes; text as UTF-8. */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  throw new InvalidArgumentError('data', data, 'text or bytes (Uint8Array)');
}

/** Refuses what cannot be a number of bytes to receive. */
export function checkSize(n: number): void {
  if (Number.isInteger(n) && n >= 0 && n <= 0x7fffffff) return;
  throw new InvalidArgumentError('n', n, 'a number of bytes');
}
