import { koffi, libc } from '../os/libc.ts';
import { checkParent, interruption, longestWait } from './interrupt.ts';

const SYS_futex = 202;
const SYS_futex_arm = 98;
const SYS_futex_waitv = 449;
const FUTEX_WAKE = 1;
const FUTEX2_SIZE_U32 = 2;
const CLOCK_MONOTONIC = 1;
const ENOSYS = 38;
const entryBytes = 24;

/** Wakes up to `count` threads that wait on the word at that address, in any process. futex(2). */
export function futexWake(address: number, count: number): void {
  wakeCall ??= libc('long syscall(long number, uintptr_t word, int op, int count, long a, long b, long c)');
  wakeCall(SYS_number, address, FUTEX_WAKE, count, 0, 0, 0);
}

/**
 * Blocks while all the words have these values, at most `seconds`. Always watches this thread's interruption word too:
 * a thread in a native call can be neither terminated nor joined, and `process.exit()` would wait for it for ever.
 */
export function futexWait(words: readonly (readonly [address: number, value: number])[], seconds: number): void {
  const watched = interruption();
  if (!vectors) return waitInSlices(words[0]!, seconds, watched.stopping);
  waitCall ??= libc(
    'long syscall(long number, const void *entries, uint count, uint flags, const void *until, int clock)',
  );
  const entries = table(words, watched.address);
  const bound = Math.min(seconds, longestWait());
  const until = bound === Infinity ? null : timespec(bound);
  const result = waitCall(SYS_futex_waitv, entries, words.length + 1, 0, until, CLOCK_MONOTONIC);
  if (result < 0 && koffi().errno() === ENOSYS) vectors = false;
  watched.stopIfAsked();
  checkParent();
}

const SYS_number = process.arch === 'arm64' ? SYS_futex_arm : SYS_futex;
// Before Linux 5.16 a thread can watch one word only: it looks up now and then.
let vectors = true;
let wakeCall: ReturnType<typeof libc> | undefined;
let waitCall: ReturnType<typeof libc> | undefined;
let sliceCall: ReturnType<typeof libc> | undefined;
let buffer = Buffer.alloc(entryBytes * 2);
const time = Buffer.alloc(16);

function waitInSlices([address, value]: readonly [number, number], seconds: number, stopping: () => boolean): void {
  sliceCall ??= libc(
    'long syscall(long number, uintptr_t word, int op, uint value, const void *timeout, long b, long c)',
  );
  const slice = Math.min(seconds, 0.05);
  time.writeBigInt64LE(0n, 0);
  time.writeBigInt64LE(BigInt(Math.ceil(slice * 1e9)), 8);
  if (!stopping()) sliceCall(SYS_number, address, 0, value >>> 0, time, 0, 0);
}

function table(words: readonly (readonly [number, number])[], interrupt: number): Buffer {
  const bytes = entryBytes * (words.length + 1);
  if (buffer.length < bytes) buffer = Buffer.alloc(bytes);
  words.forEach(([address, value], i) => entry(i, address, value));
  entry(words.length, interrupt, 0);
  return buffer;
}

function entry(index: number, address: number, value: number): void {
  const at = index * entryBytes;
  buffer.writeUInt32LE(value >>> 0, at);
  buffer.writeUInt32LE(0, at + 4);
  pointer(at + 8, address);
  buffer.writeUInt32LE(FUTEX2_SIZE_U32, at + 16);
  buffer.writeUInt32LE(0, at + 20);
}

function pointer(at: number, address: number): void {
  buffer.writeUInt32LE(address % 0x100000000, at);
  buffer.writeUInt32LE(Math.floor(address / 0x100000000), at + 4);
}

// CLOCK_MONOTONIC is what process.hrtime reads.
function timespec(seconds: number): Buffer {
  const until = process.hrtime.bigint() + BigInt(Math.ceil(seconds * 1e9));
  time.writeBigInt64LE(until / 1_000_000_000n, 0);
  time.writeBigInt64LE(until % 1_000_000_000n, 8);
  return time;
}
