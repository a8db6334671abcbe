/**
 * Two numbers in eight bytes of shared memory, changed together by one store: a writer killed at any moment leaves both
 * old or both new. The second has 30 bits, so that the eight bytes are never a double that is not a number.
 */
export class Pair {
  readonly #double: Float64Array;
  readonly #big: BigInt64Array;
  readonly #scratch = new Uint32Array(2);
  readonly #scratchDouble = new Float64Array(this.#scratch.buffer);
  readonly #scratchBig = new BigInt64Array(this.#scratch.buffer);

  constructor(words: Int32Array, index: number) {
    const at = words.byteOffset + index * 4;
    this.#double = new Float64Array(words.buffer, at, 1);
    this.#big = new BigInt64Array(words.buffer, at, 1);
  }

  first = 0;
  second = 0;

  /** Brings `first` and `second` up to date. */
  load(): void {
    if (ordered) this.#scratchDouble[0] = this.#double[0]!;
    else this.#scratchBig[0] = Atomics.load(this.#big, 0);
    this.first = this.#scratch[0]!;
    this.second = this.#scratch[1]!;
  }

  store(first: number, second: number): void {
    this.#scratch[0] = first;
    this.#scratch[1] = second & COUNT_MASK;
    if (ordered) this.#double[0] = this.#scratchDouble[0]!;
    else Atomics.store(this.#big, 0, this.#scratchBig[0]!);
  }
}

/** The range of `second`: differences are taken modulo it. */
export const COUNT_MASK = 0x3fffffff;

// x86 shows stores to others in their order, and a plain one is five times faster than one with a bigint.
const ordered = process.arch === 'x64';
