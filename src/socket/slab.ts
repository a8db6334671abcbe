import type { Region } from './memory.ts';
import { allocateRegion, viewOf } from './memory.ts';

const size = 65_536;
/** What is received in one call at most. */
export const most = 1 << 20;
/** Up to so many bytes a message is short. */
export const short = 1024;

/** As `receive` of the system: bytes into memory, undefined if there are none yet, a negative errno on failure. */
export type Receive = (fd: number, address: number, size: number) => number | undefined;

// What is received into: who takes little gets a copy, who fills most of it gets the region itself.
let slab: Region | undefined;
let large: Region | undefined;

/** Up to `n` bytes as `call` gives them; undefined if there are none yet, a negative errno on failure. */
export function receiveBytes(call: Receive, fd: number, n: number): Buffer | number | undefined {
  const into = regionFor(n);
  const got = call(fd, into.address, Math.min(n, into.size));
  if (got === undefined || got < 0) return got;
  const bytes = viewOf(into, 0, got);
  if (got < into.size / 2) {
    const copy = Buffer.allocUnsafe(got);
    copy.set(bytes);
    return copy;
  }
  if (into === slab) slab = undefined;
  else large = undefined;
  return bytes;
}

function regionFor(n: number): Region {
  if (n <= size) return (slab ??= allocateRegion(size));
  const wanted = Math.min(n, most);
  if (large?.size !== wanted) large = allocateRegion(wanted);
  return large;
}

// As Buffer.from keeps small copies together, without the copying.
const sheetSize = 8192;
const leastRoom = 2048;
let sheet: Region | undefined;
let used = 0;

/** As `receiveBytes`, for a stream whose messages have been short: at half the cost if this one is, too. */
export function receiveShort(call: Receive, fd: number, n: number): Buffer | number | undefined {
  if (sheet === undefined || sheetSize - used < leastRoom) [sheet, used] = [allocateRegion(sheetSize), 0];
  const room = Math.min(n, sheetSize - used);
  const got = call(fd, sheet.address + used, room);
  if (got === undefined || got < 0) return got;
  const bytes = viewOf(sheet, used, got);
  used += (got + 7) & ~7;
  return got === room && room < n ? withMore(bytes, call, fd, n - got) : bytes;
}

// It was not short after all: who asks for `n` bytes that are there gets them at once, as from the system.
function withMore(bytes: Buffer, call: Receive, fd: number, n: number): Buffer | number {
  const more = receiveBytes(call, fd, n);
  if (more === undefined) return bytes;
  return typeof more === 'number' ? more : Buffer.concat([bytes, more]);
}
