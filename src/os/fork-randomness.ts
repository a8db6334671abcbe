import { randomInt, randomUUID } from 'node:crypto';

const uuids = 128;
const uuidBytes = 16;
const integers = 1024;
const integerBytes = 6;

/** What a fork has to do about the randomness that node:crypto holds ready. */
export interface CryptoCaches {
  /** In the parent, right before. */
  readonly useUp: () => void;
  /** In the child. */
  readonly leave: () => void;
}

/**
 * crypto keeps caches of 128 UUIDs and 1,024 random integers: siblings would all draw the parent's next values. So they are used up
 * before a fork, and whoever draws next, in whichever process, fills them anew (OpenSSL notices forks by itself). As long as nobody
 * draws, which the bytes of a cache tell, that costs nothing, and least in the child, which has to copy each page it
 * writes to. Where Node has changed and they are not found, the child draws as many values as there can be.
 */
export function prepareCryptoCaches(): CryptoCaches {
  const caches = [uuidCache(), integerCache()];
  return {
    useUp: () => {
      for (const cache of caches) cache?.useUp();
    },
    leave: () => {
      if (caches[0]?.found !== true) for (let i = 0; i < uuids; i++) randomUUID();
      if (caches[1]?.found !== true) for (let i = 0; i < integers; i++) randomInt(2);
    },
  };
}

/** A cache of which nothing is left. */
class UsedCache {
  found = true;
  readonly #bytes: Uint8Array;
  readonly #draw: () => boolean;
  readonly #last = new Uint8Array(8);

  /** `draw` takes what is left, and tells whether that was found to be so. */
  constructor(bytes: Uint8Array, draw: () => boolean) {
    this.#bytes = bytes;
    this.#draw = draw;
    this.#useUp();
  }

  useUp(): void {
    if (!this.found) return;
    for (let i = 0; i < this.#last.length; i++) {
      if (this.#bytes[i] !== this.#last[i]) return this.#useUp();
    }
  }

  #useUp(): void {
    this.found = this.#draw();
    this.#last.set(this.#bytes.subarray(0, this.#last.length));
  }
}

// The places of a batch are drawn from the second to the last, and then the first.
function uuidCache(): UsedCache | undefined {
  const bytes = findUuids();
  if (bytes === undefined) return undefined;
  return new UsedCache(bytes, () => {
    let id = randomUUID();
    const place = placeOf(id, bytes);
    for (let i = place; i > 0 && i < uuids; i++) id = randomUUID();
    return placeOf(id, bytes) === 0;
  });
}

// It is asked for its length when it is filled.
function findUuids(): Uint8Array | undefined {
  const seen: { bytes?: Uint8Array } = {};
  const lengthOf = Reflect.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype) as object,
    'byteLength',
  );
  // oxlint-disable-next-line no-extend-native -- for a moment, in which nobody else runs
  Object.defineProperty(Uint8Array.prototype, 'byteLength', {
    configurable: true,
    get(this: Uint8Array) {
      const length = Reflect.apply(lengthOf!.get!, this, []) as number;
      if (length === uuids * uuidBytes) seen.bytes = this;
      return length;
    },
  });
  try {
    for (let i = 0; i <= uuids && seen.bytes === undefined; i++) randomUUID();
  } finally {
    Reflect.deleteProperty(Uint8Array.prototype, 'byteLength');
  }
  return seen.bytes;
}

function placeOf(id: string, bytes: Uint8Array): number {
  const wanted = Buffer.from(id.slice(0, 8) + id.slice(24), 'hex');
  for (let at = 0; at < bytes.length; at += uuidBytes) {
    const isIt = wanted.every((byte, i) => byte === bytes[at + (i < 4 ? i : i + 6)]);
    if (isIt) return at / uuidBytes;
  }
  return -1;
}

function integerCache(): UsedCache | undefined {
  const { bytes } = drawInteger();
  if (bytes === undefined) return undefined;
  return new UsedCache(bytes, () => {
    const seen = drawInteger();
    for (let left = seen.left; left > integerBytes; left -= integerBytes) randomInt(2);
    return seen.bytes === bytes && (seen.left === 0 || drawInteger().left === 0);
  });
}

interface Drawn {
  bytes?: Uint8Array;
  /** How many bytes have not been drawn yet. */
  left: number;
}

// It is read by a method that can be looked over.
function drawInteger(): Drawn {
  const seen: Drawn = { left: -1 };
  const prototype = Buffer.prototype as { readUIntBE: (this: Buffer, offset: number, size: number) => number };
  const read = prototype.readUIntBE;
  prototype.readUIntBE = function (offset, size) {
    seen.bytes = this;
    seen.left = this.length - offset - integerBytes;
    return Reflect.apply(read, this, [offset, size]);
  };
  try {
    randomInt(2);
  } finally {
    prototype.readUIntBE = read;
  }
  return seen;
}
