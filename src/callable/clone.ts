import { EncodeError } from '../base/errors.ts';

/** The error for a value that could not be cloned; names the path to the first part that cannot cross. */
export function cloneError(root: string, value: unknown, cause: unknown): EncodeError {
  // Too large or too deep as a whole: there is no part that is to blame.
  if (cause instanceof RangeError) return new EncodeError(root, cause.message, { cause });
  const culprit = find(root, value, new Set());
  if (culprit === undefined) return new EncodeError(root, (cause as Error).message, { cause });
  return new EncodeError(culprit.path, culprit.reason, { cause });
}

interface Culprit {
  readonly path: string;
  readonly reason: string;
}

function find(path: string, value: unknown, seen: Set<object>): Culprit | undefined {
  if (typeof value === 'function') return { path, reason: `functions do not travel inside values (${label(value)})` };
  if (typeof value === 'symbol') return { path, reason: 'symbols cannot be cloned' };
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  seen.add(value);
  for (const [key, part] of parts(value)) {
    const culprit = find(`${path}${key}`, part, seen);
    if (culprit !== undefined) return culprit;
  }
  return isLeaf(value) && !clones(value) ? { path, reason: `a ${value.constructor.name} cannot be cloned` } : undefined;
}

function parts(value: object): [string, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [`[${index}]`, item]);
  if (value instanceof Map) return [...value].flatMap(([key, item], index) => mapParts(key, item, index));
  if (value instanceof Set) return [...value].map((item, index) => [`.values()[${index}]`, item]);
  if (ArrayBuffer.isView(value)) return [];
  return Object.keys(value).map((key) => [
    /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    (value as Record<string, unknown>)[key],
  ]);
}

function mapParts(key: unknown, item: unknown, index: number): [string, unknown][] {
  const name = typeof key === 'string' ? JSON.stringify(key) : typeof key === 'number' ? String(key) : `#${index}`;
  return [
    [`.keys()[${index}]`, key],
    [`.get(${name})`, item],
  ];
}

function isLeaf(value: object): boolean {
  return parts(value).length === 0 && typeof value.constructor === 'function';
}

function clones(value: object): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function label(fn: { name: string }): string {
  return fn.name === '' ? 'an anonymous one' : fn.name;
}
