import { libc } from '../../../src/os/libc.ts';

const most = 2n ** 64n - 1n;

/** Lets this process's files grow no further than that many bytes; without a number lifts the limit again. */
export function limitFileSize(bytes: bigint = most): void {
  const fileSize = 1; // RLIMIT_FSIZE
  // The soft limit only: it can be raised again.
  const limits = new BigUint64Array([bytes, most]);
  if (libc('int setrlimit(int resource, void *limits)')(fileSize, limits) !== 0) throw new Error('setrlimit failed');
}
