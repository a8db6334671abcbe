import { checked, libc } from '../os/libc.ts';

/** What the kernel does with a signal, as sigaction(2) has it; opaque, to be put back as it was. */
export type Disposition = Buffer;

const size = 160; // struct sigaction: the handler comes first on every platform

/** The present disposition. SystemError EINVAL for numbers that are no signal. */
export function readDisposition(signum: number): Disposition {
  const now = Buffer.alloc(size);
  checked(sigaction()(signum, null, now), 'sigaction');
  return now;
}

export function writeDisposition(signum: number, disposition: Disposition): void {
  checked(sigaction()(signum, disposition, null), 'sigaction');
}

/** The address of the handler; 0 the default, 1 ignored. */
export function handlerOf(disposition: Disposition): bigint {
  return disposition.readBigUInt64LE(0);
}

export function isDefault(disposition: Disposition): boolean {
  return handlerOf(disposition) === 0n;
}

export function isIgnored(disposition: Disposition): boolean {
  return handlerOf(disposition) === 1n;
}

export const defaultDisposition: Disposition = Buffer.alloc(size);
export const ignoredDisposition: Disposition = Buffer.alloc(size);
ignoredDisposition[0] = 1;

function sigaction() {
  return libc('int sigaction(int signal, void *action, void *old)');
}
