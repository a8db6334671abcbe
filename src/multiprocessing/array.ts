import { InvalidArgumentError } from '../base/errors.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { BlockHandle } from '../ipc/block.ts';
import { Block } from '../ipc/block.ts';
import type { Passed } from '../ipc/passing.ts';
import { received } from '../ipc/passing.ts';
import { Lock } from './lock.ts';
import type { ArrayOf, ElementOf, TypeCode } from './type-codes.ts';
import { checkElement, viewAs, widthOf } from './type-codes.ts';

/**
 * Numbers in memory that processes share, without a lock. `view` is the typed array itself, as fast as any; `get` and `set`
 * check index and value. InvalidArgumentError for an unknown type code, no elements, or values it cannot hold.
 * (multiprocessing.RawArray)
 *
 * @example
 * const pixels = new RawArray('uint8', 640 * 480);
 * pixels.view.fill(255);
 */
export class RawArray<C extends TypeCode> implements Shareable, Iterable<ElementOf<C>> {
  readonly type: C;
  readonly length: number;
  readonly view: ArrayOf<C>;
  readonly #block: Block;

  constructor(type: C, sizeOrValues: number | Iterable<ElementOf<C>>, block?: Block) {
    const values = typeof sizeOrValues === 'number' ? undefined : [...sizeOrValues];
    const length = values?.length ?? (sizeOrValues as number);
    if (!Number.isSafeInteger(length) || length < 1) {
      throw new InvalidArgumentError('sizeOrValues', sizeOrValues, 'a number of elements, 1 or more, or the elements');
    }
    this.type = type;
    this.length = length;
    this.#block = block ?? new Block(widthOf(type) * length);
    this.view = viewAs(type, this.#block.bytes, length);
    values?.forEach((value, index) => this.set(index, value));
  }

  get(index: number): ElementOf<C> {
    return this.view[this.#at(index)] as ElementOf<C>;
  }

  set(index: number, value: ElementOf<C>): void {
    this.view[this.#at(index)] = checkElement(this.type, 'value', value);
  }

  [Symbol.iterator](): Iterator<ElementOf<C>> {
    return (this.view as Iterable<ElementOf<C>>)[Symbol.iterator]();
  }

  [shareable](_to: Destination): PackedShareable {
    return { kind: 'multiprocessing.RawArray', module: import.meta.url, data: this.describe() };
  }

  /** @internal */
  describe(): PassedArray {
    return { type: this.type, length: this.length, block: this.#block.handle() };
  }

  // Negative ones count from the end, as in Python and `at`.
  #at(index: number): number {
    const at = index < 0 ? this.length + index : index;
    if (Number.isInteger(at) && at >= 0 && at < this.length) return at;
    throw new InvalidArgumentError('index', index, `a whole number from ${-this.length} to ${this.length - 1}`);
  }
}

/**
 * Numbers in memory that processes share, with a lock for those who want to change several at once or read what they
 * write. (multiprocessing.Array)
 *
 * @example
 * const histogram = new Array('int32', 256);
 * await histogram.lock.run(() => histogram.set(7, histogram.get(7) + 1));
 */
export class SharedArray<C extends TypeCode> extends RawArray<C> {
  readonly lock: Lock;

  constructor(
    type: C,
    sizeOrValues: number | Iterable<ElementOf<C>>,
    { lock = new Lock(), block }: { lock?: Lock; block?: Block } = {},
  ) {
    super(type, sizeOrValues, block);
    this.lock = lock;
  }

  override [shareable](to: Destination): PackedShareable {
    const data = { ...this.describe(), lock: this.lock[shareable](to).data };
    return { kind: 'multiprocessing.Array', module: import.meta.url, data };
  }
}

interface PassedArray {
  readonly type: TypeCode;
  readonly length: number;
  readonly block: BlockHandle;
}

onArrival(
  'multiprocessing.RawArray',
  (data: PassedArray) => new RawArray(data.type, data.length, new Block(data.block)),
);
onArrival('multiprocessing.Array', ({ type, length, block, lock }: PassedArray & { lock: Passed }) => {
  return new SharedArray(type, length, { lock: new Lock({}, received(lock)), block: new Block(block) });
});
