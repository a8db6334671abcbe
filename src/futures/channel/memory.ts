/** Memory between the engine and a worker, with the means to wait for a word of it. */
export interface Memory {
  readonly words: Int32Array;
  readonly bytes: Buffer;
  readonly doubles: Float64Array;
  /** Blocks this thread while the word has that value, at most `seconds`; may return early. */
  wait(index: number, value: number, seconds: number): void;
  /** Wakes who waits for that word. */
  wake(index: number): void;
}

/** The views of one buffer. */
export function viewsOf(buffer: ArrayBufferLike): Pick<Memory, 'words' | 'bytes' | 'doubles'> {
  return {
    words: new Int32Array(buffer),
    bytes: Buffer.from(buffer as ArrayBuffer),
    doubles: new Float64Array(buffer),
  };
}
