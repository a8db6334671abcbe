import { adopt, allocate, recycle } from './arena.ts';
import type { Piece } from './arena.ts';

/** Where a block lies, for another process. */
export interface BlockHandle {
  readonly pid: number;
  readonly fd: number;
  readonly id: string;
  readonly offset: number;
  readonly size: number;
}

/** Plain shared bytes without a lock of their own, zeroed at first. */
export class Block {
  readonly bytes: Uint8Array;
  readonly #piece: Piece;
  #told: boolean;

  constructor(memory: number | BlockHandle) {
    this.#told = typeof memory !== 'number';
    this.#piece =
      typeof memory === 'number'
        ? allocate(memory)
        : adopt(memory.pid, memory.fd, memory.id, memory.offset, memory.size);
    this.bytes = new Uint8Array(this.#piece.buffer, this.#piece.offset, this.#piece.size);
  }

  handle(): BlockHandle {
    this.#told = true;
    const { fd, id, offset, size } = this.#piece;
    return { pid: process.pid, fd, id, offset, size };
  }

  /** Gives the memory back for reuse if nobody else has been told of it. */
  release(): void {
    if (!this.#told) recycle(this.#piece);
    this.#told = true;
  }
}
