import { ClosedError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { atExit } from '../os/at-exit.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { NamedSegment } from '../ipc/named-segment.ts';
import { closeSegment, createSegment, openSegment, reopenSegment, unlinkSegment } from '../ipc/named-segment.ts';

/** How shared memory is made or found. */
export interface SharedMemoryOptions {
  /** By default a new one nobody else has. Needed to find one. */
  readonly name?: string;
  /** Makes it (default: only finds it). */
  readonly create?: boolean;
  /** Bytes. When finding it: the least it must have. */
  readonly size?: number;
}

/**
 * Bytes under a name that any process of this user can find. Readable by this user only (0600); all of its memory is
 * reserved at once. It is gone when the last who has it open has closed it or ended, however that came.
 * SystemError EEXIST, ENOENT, ENOSPC (/dev/shm is full); InvalidArgumentError for size 0, a bad name, or too small a segment.
 * (multiprocessing.shared_memory.SharedMemory)
 *
 * @example
 * using frames = new SharedMemory({ name: 'frames', create: true, size: 1 << 20 });
 * frames.buf[0] = 1;
 */
export class SharedMemory implements Shareable, Disposable {
  #segment: NamedSegment;
  #buf: Uint8Array | undefined;

  constructor({ name, create = false, size }: SharedMemoryOptions = {}) {
    this.#segment = create ? createSegment(name ?? uuid(), size ?? 0) : openSegment(name ?? '', size);
    this.#buf = new Uint8Array(this.#segment.mapping.buffer);
    open.add(this);
    listen();
  }

  get name(): string {
    return this.#segment.name;
  }

  /** Bytes. */
  get size(): number {
    return this.#segment.size;
  }

  /** The memory. ClosedError after `close`; a view kept from before then reads zeros. */
  get buf(): Uint8Array {
    if (this.#buf === undefined) throw new ClosedError(`the shared memory ${this.name} is closed`);
    return this.#buf;
  }

  /** Gives it up in this process; the last to do so removes it. Idempotent. */
  close(): void {
    if (this.#buf === undefined) return;
    this.#buf = undefined;
    open.delete(this);
    closeSegment(this.#segment);
  }

  /** @internal */
  afterFork(): void {
    this.#segment = reopenSegment(this.#segment);
  }

  /** Removes the name now: nobody can find it any more, those who have it keep it. */
  unlink(): void {
    unlinkSegment(this.name);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [shareable](_to: Destination): PackedShareable {
    return { kind: 'multiprocessing.SharedMemory', module: import.meta.url, data: { name: this.name } };
  }
}

const open = new Set<SharedMemory>();
let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  atExit(() => {
    for (const memory of open) memory.close();
  });
}

registerAtFork({
  afterInChild: () => {
    for (const memory of open) memory.afterFork();
  },
});

onArrival('multiprocessing.SharedMemory', ({ name }: { name: string }) => new SharedMemory({ name }));
