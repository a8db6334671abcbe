import { NotFoundError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';

/** The method by which an object says how it is named to another thread or process. */
export const shareable: unique symbol = Symbol.for('simul.shareable') as never;

/** Where a value goes: by message to a thread or process, or as a record in shared memory, to whoever takes it. */
export type Destination = 'thread' | 'process' | 'record';

/** An object that is not copied but names shared state: it arrives as another object for the same state. */
export interface Shareable {
  /** Throws UnsupportedError if it cannot be used there. */
  [shareable](to: Destination): PackedShareable;
}

/** A shareable as plain data. */
export interface PackedShareable {
  /** Under which `onArrival` was called. */
  readonly kind: string;
  /** URL of the module that calls it; imported on arrival if need be. */
  readonly module: string;
  readonly data: unknown;
}

/** A value on its way, its shareables replaced by plain data under a key that nobody could have put into it before. */
export interface Packed {
  readonly value: unknown;
  readonly key: string;
}

interface Registry {
  readonly arrivals: Map<string, (data: never) => unknown>;
  used: boolean;
}

// One a thread even if two copies of this package are installed.
const slot = Symbol.for('simul.callable.shareables');
const holder = globalThis as { [slot]?: Registry };
const registry = (holder[slot] ??= { arrivals: new Map(), used: false });

/** Says what makes an object of that kind of its data. Call it when the module is evaluated. */
export function onArrival(kind: string, revive: (data: never) => unknown): void {
  registry.arrivals.set(kind, revive);
  registry.used = true;
}

/**
 * Replaces the shareables in a value (in plain objects, arrays, maps and sets) by plain data; undefined if there are none.
 * Where no module with shareables is loaded this costs nothing.
 */
export function packShareables(value: unknown, to: Destination): Packed | undefined {
  if (!registry.used) return undefined;
  let key: string | undefined;
  const packed = replace(value, (object) => {
    if (!(shareable in object)) return undefined;
    key ??= `simul.${uuid()}`;
    return { [key]: (object as Shareable)[shareable](to) };
  });
  return key === undefined ? undefined : { value: packed, key };
}

/** Whether there are shareables in a value, without packing them. */
export function hasShareables(value: unknown): boolean {
  if (!registry.used) return false;
  let found = false;
  replace(value, (object) => {
    if (!(shareable in object)) return undefined;
    found = true;
    return {};
  });
  return found;
}

/** The value with its shareables back, after importing the modules that have them. */
export async function unpackShareables(packed: Packed): Promise<unknown> {
  const modules = new Set<string>();
  replace(packed.value, (object) => {
    const found = (object as Record<string, PackedShareable>)[packed.key];
    if (found !== undefined && !registry.arrivals.has(found.kind)) modules.add(found.module);
    return found;
  });
  for (const url of modules) await import(url);
  return unpackShareablesSync(packed);
}

/** As `unpackShareables`, where their modules are known to be loaded. */
export function unpackShareablesSync({ value, key }: Packed): unknown {
  return replace(value, (object) => {
    const found = (object as Record<string, PackedShareable>)[key];
    return found === undefined ? undefined : revive(found);
  });
}

function revive({ kind, data }: PackedShareable): unknown {
  const make = registry.arrivals.get(kind) as ((data: unknown) => unknown) | undefined;
  if (make === undefined) throw new NotFoundError(`no loaded module knows shared objects of the kind ${kind}`);
  return make(data);
}

// Copies only the containers on the way to something replaced; `one` gives undefined for what stays.
function replace(value: unknown, one: (object: object) => unknown, within = new Set<object>()): unknown {
  if (typeof value !== 'object' || value === null || within.has(value)) return value;
  const instead = one(value);
  if (instead !== undefined) return instead;
  within.add(value);
  const result = replaceParts(value, (part) => replace(part, one, within));
  within.delete(value);
  return result;
}

function replaceParts(value: object, part: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(part);
    return parts.some((item, i) => item !== value[i]) ? parts : value;
  }
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [key, part(item)] as const);
    return entries.some(([key, item]) => item !== value.get(key)) ? new Map(entries) : value;
  }
  if (value instanceof Set) {
    const items = [...value].map(part);
    return items.some((item) => !value.has(item)) ? new Set(items) : value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const object = value as Record<string, unknown>;
  const entries = Object.entries(object).map(([key, item]) => [key, part(item)] as const);
  return entries.some(([key, item]) => item !== object[key]) ? Object.fromEntries(entries) : value;
}
