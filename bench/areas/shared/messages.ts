import { deepStrictEqual } from 'node:assert/strict';

/** What the rows of small messages send. */
export interface Small {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly [string, string, string];
}

export function small(id: number): Small {
  return { id, name: 'abcdefghij', tags: ['red', 'green', 'blue'] };
}

export const bulkBytes = 65_536;

// Made once: what is measured is the way, not the making. All ways copy it before they return.
const buffers: Buffer[] = [];

export function bulk(id: number): Buffer {
  const buffer = (buffers[id & 0xff] ??= Buffer.alloc(bulkBytes, id & 0xff));
  buffer.writeUInt32LE(id, 0);
  return buffer;
}

/** Throws unless this is the message of that number, whole. */
export function checkSmall(message: unknown, id: number): void {
  const { id: got, name, tags } = message as Small;
  if (got !== id || name !== 'abcdefghij' || tags.length !== 3 || tags[0] !== 'red' || tags[2] !== 'blue') {
    deepStrictEqual(message, small(id));
  }
}

export function checkBulk(message: unknown, id: number): void {
  const buffer = message as Buffer;
  const last = buffer[bulkBytes - 1];
  if (buffer.length !== bulkBytes || buffer.readUInt32LE(0) !== id || last !== (id & 0xff)) {
    throw new Error(`message ${id} arrived changed`);
  }
}
