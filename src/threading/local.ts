import { uuid } from '../base/ids.ts';
import type { PackedShareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';

const own = new Map<string, object>();

/**
 * An object whose properties each thread has for itself. In Node every thread has all of its variables for itself; this is
 * for an object that is passed to threads and must arrive there empty. (threading.local)
 *
 * @example
 * const cache = local();
 * cache['hits'] = 1;
 */
export function local(): Record<string, unknown> {
  return hereFor(uuid()) as Record<string, unknown>;
}

function hereFor(id: string): object {
  let object = own.get(id);
  if (object === undefined) {
    object = Object.create({
      [shareable]: (): PackedShareable => ({ kind: 'threading.local', module: import.meta.url, data: id }),
    }) as object;
    own.set(id, object);
  }
  return object;
}

onArrival('threading.local', (id: string) => hereFor(id));
