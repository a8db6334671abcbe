/** Objects with the same keys in the same order: how they are made of their values. */
export interface Shape {
  readonly count: number;
  /** The keys as they lie in a message. */
  readonly bytes: Uint8Array;
  readonly make: (...values: unknown[]) => unknown;
}

const shapes: (Shape | undefined)[] = Array.from({ length: 256 });

/** The shape whose keys lie at `start`, each with its length before it. */
export function shapeAt(source: Uint8Array, start: number, count: number, size: number): Shape {
  let hash = size;
  for (let i = start; i < start + size; i++) hash = (Math.imul(hash, 31) + source[i]!) | 0;
  const slot = (hash ^ (hash >>> 8)) & 255;
  const known = shapes[slot];
  if (known !== undefined && known.count === count && isSame(known.bytes, source, start, size)) return known;
  return (shapes[slot] = learn(new Uint8Array(source.subarray(start, start + size)), count));
}

function isSame(bytes: Uint8Array, source: Uint8Array, start: number, size: number): boolean {
  if (bytes.length !== size) return false;
  for (let i = 0; i < size; i++) if (bytes[i] !== source[start + i]) return false;
  return true;
}

function learn(bytes: Uint8Array, count: number): Shape {
  const keys: string[] = [];
  for (let at = 0; keys.length < count; at += bytes[at]! + 1) {
    keys.push(Buffer.from(bytes.buffer, at + 1, bytes[at]).toString('latin1'));
  }
  return { count, bytes, make: literal(keys) ?? assignment(keys) };
}

// An object literal makes all objects of one hidden class at once, which is several times as fast as key by key.
function literal(keys: readonly string[]): Shape['make'] | undefined {
  try {
    const names = keys.map((_, i) => `v${i}`);
    const body = keys.map((key, i) => `[${JSON.stringify(key)}]:v${i}`).join(',');
    // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- of quoted keys and names of our own only
    return new Function(...names, `return {${body.replaceAll(/\["([A-Za-z_$][\w$]*)"\]/g, '$1')}}`) as Shape['make'];
  } catch {
    return undefined; // code generation may be switched off
  }
}

function assignment(keys: readonly string[]): Shape['make'] {
  return (...values) => Object.fromEntries(keys.map((key, i) => [key, values[i]]));
}
