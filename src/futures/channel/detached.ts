import { MessagePort } from 'node:worker_threads';
import { hasShareables } from '../../callable/shareable.ts';
import { takeTransfers, transfer } from '../../callable/transfer.ts';

/**
 * A value as its message will have it, whatever its maker does to it meanwhile: cloned, with what moves moved. What is shared is
 * not copied, and its message is made when it is sent. Throws what cloning throws.
 */
export function detached(value: unknown): unknown {
  if (hasShareables(value)) return value;
  const moved = takeTransfers(value);
  const clone: unknown = structuredClone(value, { transfer: moved });
  if (moved.length > 0) transfer(clone as object, movables(clone));
  return clone;
}

// The moved buffers in the clone: all of its buffers and ports that can be moved once more.
function movables(value: unknown, found = new Set<ArrayBuffer | MessagePort>(), seen = new Set<unknown>()): never[] {
  if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value);
    if (value instanceof ArrayBuffer || value instanceof MessagePort) found.add(value);
    else if (ArrayBuffer.isView(value)) movables(value.buffer, found, seen);
    else for (const item of Object.values(value)) movables(item, found, seen);
  }
  return [...found] as never[];
}
