import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { WaitOptions } from '../base/deadline.ts';
import type { BlockHandle } from '../ipc/block.ts';
import { Block } from '../ipc/block.ts';
import type { Passed } from '../ipc/passing.ts';
import { received } from '../ipc/passing.ts';
import { Lock } from './lock.ts';
import type { ArrayOf, ElementOf, TypeCode } from './type-codes.ts';
import { checkElement, viewAs, widthOf } from './type-codes.ts';

/**
 * One number in memory that processes share, without a lock: for a single writer, or guarded by a lock of yours.
 * InvalidArgumentError for an unknown type code or a value it cannot hold. (multiprocessing.RawValue)
 *
 * @example
 * const progress = new RawValue('float64', 0);
 */
export class RawValue<C extends TypeCode> implements Shareable {
  readonly type: C;
  readonly #block: Block;
  /** A typed array of one: for `Atomics`. */
  readonly view: ArrayOf<C>;

  constructor(type: C, value?: ElementOf<C>, block?: Block) {
    this.type = type;
    this.#block = block ?? new Block(widthOf(type));
    this.view = viewAs(type, this.#block.bytes, 1);
    if (value !== undefined) this.value = value;
  }

  get value(): ElementOf<C> {
    return this.view[0] as ElementOf<C>;
  }

  set value(value: ElementOf<C>) {
    this.view[0] = checkElement(this.type, 'value', value);
  }

  [shareable](_to: Destination): PackedShareable {
    return { kind: 'multiprocessing.RawValue', module: import.meta.url, data: this.describe() };
  }

  /** @internal */
  describe(): PassedValue {
    return { type: this.type, block: this.#block.handle() };
  }
}

/**
 * One number in memory that processes share, with a lock. Reading and writing `value` is not guarded, so that
 * `value.value++` in two processes loses counts: change it in `update`, or holding `lock`. (multiprocessing.Value)
 *
 * @example
 * const counter = new Value('int32', 0);
 * counter.updateSync((n) => n + 1);
 */
export class Value<C extends TypeCode> extends RawValue<C> {
  readonly lock: Lock;

  constructor(type: C, value?: ElementOf<C>, { lock = new Lock(), block }: { lock?: Lock; block?: Block } = {}) {
    super(type, value, block);
    this.lock = lock;
  }

  /** Sets what `change` makes of the value, holding the lock; gives the new one. */
  async update(change: (value: ElementOf<C>) => ElementOf<C>, options?: WaitOptions): Promise<ElementOf<C>> {
    await this.lock.acquire(options);
    return this.#change(change);
  }

  /** As `update`, blocking this thread. */
  updateSync(change: (value: ElementOf<C>) => ElementOf<C>, options?: WaitOptions): ElementOf<C> {
    this.lock.acquireSync(options);
    return this.#change(change);
  }

  override [shareable](to: Destination): PackedShareable {
    const data = { ...this.describe(), lock: this.lock[shareable](to).data };
    return { kind: 'multiprocessing.Value', module: import.meta.url, data };
  }

  #change(change: (value: ElementOf<C>) => ElementOf<C>): ElementOf<C> {
    try {
      return (this.value = change(this.value));
    } finally {
      this.lock.release();
    }
  }
}

interface PassedValue {
  readonly type: TypeCode;
  readonly block: BlockHandle;
}

onArrival(
  'multiprocessing.RawValue',
  ({ type, block }: PassedValue) => new RawValue(type, undefined, new Block(block)),
);
onArrival('multiprocessing.Value', ({ type, block, lock }: PassedValue & { lock: Passed }) => {
  return new Value(type, undefined, { lock: new Lock({}, received(lock)), block: new Block(block) });
});
