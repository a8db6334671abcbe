import { Deque } from '../../base/deque.ts';

const nothing = Buffer.alloc(0);

/** Bytes in the pieces in which they came; they are joined only when somebody has to look across a seam. */
export class ByteBuffer {
  readonly #pieces = new Deque<Buffer>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  /** The first `n` bytes, or all if there are fewer. */
  take(n: number): Buffer {
    const first = this.#pieces.peek();
    if (first === undefined || n <= 0) return nothing;
    if (first.length >= n || this.#pieces.size === 1) return this.#takeFrom(first, n);
    const taken: Buffer[] = [];
    for (let left = Math.min(n, this.#size); left > 0; left -= taken.at(-1)!.length) {
      taken.push(this.#takeFrom(this.#pieces.peek()!, left));
    }
    return Buffer.concat(taken);
  }

  /** The index behind the first separator at or after `from`; -1 if there is none. */
  endOf(separators: readonly Buffer[], from: number): number {
    let end = -1;
    if (this.#size === 0) return end;
    const bytes = this.#join();
    for (const separator of separators) {
      const start = bytes.indexOf(separator, from);
      if (start >= 0 && (end < 0 || start + separator.length < end)) end = start + separator.length;
    }
    return end;
  }

  #takeFrom(piece: Buffer, n: number): Buffer {
    this.#pieces.shift();
    const taken = piece.length <= n ? piece : piece.subarray(0, n);
    if (piece.length > n) this.#pieces.unshift(piece.subarray(n));
    this.#size -= taken.length;
    return taken;
  }

  #join(): Buffer {
    if (this.#pieces.size > 1) {
      const joined = Buffer.concat([...this.#pieces], this.#size);
      this.#pieces.clear();
      this.#pieces.push(joined);
    }
    return this.#pieces.peek()!;
  }
}
