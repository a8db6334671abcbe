/** Where the chunks of a stream are read into: `room`, then `take` of what came. */
export interface ChunkMemory {
  /** What the next chunk may fill. */
  room(): Buffer;
  /** The first `size` bytes of it, as a chunk. */
  take(size: number): Buffer;
}

/** Bytes; chunks up to this size are copied out, so that a small one does not hold on to a large piece of memory. */
const small = 16_384;

// Whatever reader of the thread comes first reads into it.
let spare: Buffer | undefined;

/** Chunks that whoever gets them may keep: cut one after the other from a piece of `size` bytes, shared by a thread's readers. */
export function keptChunks(size: number): ChunkMemory {
  return {
    room: () => (spare !== undefined && spare.length >= size / 4 ? spare : (spare = Buffer.allocUnsafeSlow(size))),
    take(taken) {
      const from = spare!;
      if (taken <= small) return Buffer.from(from.subarray(0, taken));
      spare = from.subarray(taken);
      return from.subarray(0, taken);
    },
  };
}

/** Chunks that are lent until the next one: two pieces of `size` bytes take turns, and stay in the processor's cache. */
export function lentChunks(size: number): ChunkMemory {
  const pieces = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  let next = 0;
  return {
    room: () => pieces[next]!,
    take(taken) {
      const chunk = pieces[next]!.subarray(0, taken);
      next = 1 - next;
      return chunk;
    },
  };
}
