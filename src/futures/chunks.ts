import { InvalidArgumentError } from '../base/errors.ts';

// Of more the ring would hold only a few, and a worker that is done early could take over less.
const largestDefault = 4096;

/** Four chunks for each worker, as Python has it, but bounded. */
export function defaultChunksize(items: number, workers: number): number {
  return Math.max(1, Math.min(largestDefault, Math.ceil(items / (workers * 4))));
}

/** The list in pieces. */
export function* chunksOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  checkChunksize(size);
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

export function checkChunksize(size: number): number {
  if (!Number.isInteger(size) || size < 1) throw new InvalidArgumentError('chunksize', size, 'a whole number above 0');
  return size;
}
