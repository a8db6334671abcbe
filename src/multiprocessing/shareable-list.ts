import { InvalidArgumentError, NotFoundError } from '../base/errors.ts';
import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import { SharedMemory } from './shared-memory.ts';

/** What a shareable list can hold. */
export type ShareableItem = number | bigint | boolean | string | Uint8Array | null;

const kinds = { null: 0, false: 1, true: 2, float: 3, bigint: 4, string: 5, bytes: 6 } as const;
const headerBytes = 8;
const entryBytes = 16;
const magic = 0x4c534d53;

/**
 * A list of fixed length in shared memory under a name. Items are null, booleans, numbers, bigints of 64 bits, strings and
 * bytes; a string or bytes may be replaced by ones that fit the room of the first (rounded up to 8 bytes).
 * Has no lock. (multiprocessing.shared_memory.ShareableList)
 *
 * @example
 * const list = new ShareableList(['ready', 0, null]);
 * list.set(1, 42);
 */
export class ShareableList implements Shareable, Disposable, Iterable<ShareableItem> {
  /** The memory it lies in. */
  readonly shm: SharedMemory;
  readonly #data: DataView;

  constructor(items?: Iterable<ShareableItem>, { name }: { name?: string } = {}) {
    const list = items === undefined ? undefined : [...items];
    this.shm = list === undefined ? openNamed(name) : create(list, name);
    const { buf } = this.shm;
    this.#data = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    if (list !== undefined) this.#fill(list);
    else if (this.#data.getUint32(4, true) !== magic) {
      throw new InvalidArgumentError('name', name, 'the name of a ShareableList');
    }
  }

  get length(): number {
    return this.#data.getUint32(0, true);
  }

  get(index: number): ShareableItem {
    const entry = this.#entry(index);
    const size = this.#data.getUint32(entry + 8, true);
    const at = this.#data.getUint32(entry, true);
    switch (this.#data.getUint8(entry + 12)) {
      case kinds.false:
        return false;
      case kinds.true:
        return true;
      case kinds.float:
        return this.#data.getFloat64(at, true);
      case kinds.bigint:
        return this.#data.getBigInt64(at, true);
      case kinds.string:
        return this.#bytes(at, size).toString('utf8');
      case kinds.bytes:
        return new Uint8Array(this.#bytes(at, size));
      default:
        return null;
    }
  }

  /** Replaces an item; InvalidArgumentError if the new one is larger than the room of the first. */
  set(index: number, item: ShareableItem): void {
    const entry = this.#entry(index);
    const room = this.#data.getUint32(entry + 4, true);
    const size = sizeOf(item);
    if (size > room)
      throw new InvalidArgumentError('item', item, `something of at most ${room} bytes at index ${index}`);
    this.#write(entry, item, size);
  }

  count(item: ShareableItem): number {
    return [...this].filter((other) => other === item).length;
  }

  /** NotFoundError if it is not in the list. */
  index(item: ShareableItem): number {
    const index = [...this].indexOf(item);
    if (index < 0) throw new NotFoundError(`the list has no ${String(item)}`);
    return index;
  }

  *[Symbol.iterator](): Iterator<ShareableItem> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  close(): void {
    this.shm.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [shareable](_to: Destination): PackedShareable {
    return { kind: 'multiprocessing.ShareableList', module: import.meta.url, data: { name: this.shm.name } };
  }

  #fill(items: readonly ShareableItem[]): void {
    this.#data.setUint32(0, items.length, true);
    this.#data.setUint32(4, magic, true);
    let at = headerBytes + items.length * entryBytes;
    items.forEach((item, index) => {
      const entry = headerBytes + index * entryBytes;
      const room = roomOf(item);
      this.#data.setUint32(entry, at, true);
      this.#data.setUint32(entry + 4, room, true);
      this.#write(entry, item, sizeOf(item));
      at += room;
    });
  }

  #write(entry: number, item: ShareableItem, size: number): void {
    const at = this.#data.getUint32(entry, true);
    if (typeof item === 'number') this.#data.setFloat64(at, item, true);
    else if (typeof item === 'bigint') this.#data.setBigInt64(at, item, true);
    else if (typeof item === 'string') this.#bytes(at, size).write(item, 'utf8');
    else if (item instanceof Uint8Array) this.#bytes(at, size).set(item);
    this.#data.setUint32(entry + 8, size, true);
    this.#data.setUint8(entry + 12, typeOf(item));
  }

  #bytes(at: number, size: number): Buffer {
    const { buf } = this.shm;
    return Buffer.from(buf.buffer as ArrayBuffer, buf.byteOffset + at, size);
  }

  #entry(index: number): number {
    void this.shm.buf; // refuses a closed one
    const at = index < 0 ? this.length + index : index;
    if (Number.isInteger(at) && at >= 0 && at < this.length) return headerBytes + at * entryBytes;
    throw new InvalidArgumentError('index', index, `a whole number from ${-this.length} to ${this.length - 1}`);
  }
}

function create(items: readonly ShareableItem[], name: string | undefined): SharedMemory {
  const room = items.reduce<number>((sum, item) => sum + roomOf(item), headerBytes + items.length * entryBytes);
  return new SharedMemory({ create: true, size: room, ...(name === undefined ? {} : { name }) });
}

function openNamed(name: string | undefined): SharedMemory {
  if (name === undefined) throw new InvalidArgumentError('items', undefined, 'items, or the name of a list');
  return new SharedMemory({ name, size: headerBytes });
}

function typeOf(item: ShareableItem): number {
  if (item === null) return kinds.null;
  if (typeof item === 'boolean') return item ? kinds.true : kinds.false;
  if (typeof item === 'number') return kinds.float;
  if (typeof item === 'bigint') return kinds.bigint;
  return typeof item === 'string' ? kinds.string : kinds.bytes;
}

function sizeOf(item: ShareableItem): number {
  if (typeof item === 'string') return Buffer.byteLength(item);
  if (item instanceof Uint8Array) return item.byteLength;
  if (typeof item === 'bigint' && BigInt.asIntN(64, item) === item) return 8;
  if (typeof item === 'number' || typeof item === 'boolean' || item === null) return 8;
  throw new InvalidArgumentError('item', item, 'null, a boolean, number, bigint of 64 bits, string or Uint8Array');
}

function roomOf(item: ShareableItem): number {
  return Math.max(8, Math.ceil(sizeOf(item) / 8) * 8);
}

onArrival('multiprocessing.ShareableList', ({ name }: { name: string }) => new ShareableList(undefined, { name }));
