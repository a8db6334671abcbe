import { constants } from 'node:os';
import { hasLibc } from '../os/libc.ts';
import { handlerOf, readDisposition, writeDisposition } from './disposition.ts';

// struct sigaction of glibc and musl on 64 bits: the handler, a mask of 1024 bits, the flags.
const flagsAt = 8 + 128;
const SA_RESETHAND = 0x80000000;

/**
 * Has the kernel take the handler of a signal away as it calls it, so that a second signal has the default effect and ends
 * the process, should JavaScript be too busy to hear of the first. To be called once the handler is set; the function it
 * gives keeps the handler for good, for when the first was heard. Without effect where there is no FFI, and elsewhere than
 * on Linux. (sigaction(2), SA_RESETHAND)
 */
export function endAtSecond(signal: NodeJS.Signals): () => void {
  const signum = constants.signals[signal];
  if (process.platform !== 'linux' || !hasLibc()) return () => {};
  const disposition = readDisposition(signum);
  if (handlerOf(disposition) <= 1n) return () => {};
  const once = Buffer.from(disposition);
  once.writeUInt32LE((once.readUInt32LE(flagsAt) | SA_RESETHAND) >>> 0, flagsAt);
  writeDisposition(signum, once);
  return () => writeDisposition(signum, disposition);
}
