import { InvalidArgumentError } from '../base/errors.ts';

/** What an element is: a width by its name, or by Python's letter (array module). */
export type TypeCode = keyof TypedArrays | keyof typeof letters;

interface TypedArrays {
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  float32: Float32Array;
  float64: Float64Array;
}

const letters = {
  b: 'int8',
  B: 'uint8',
  h: 'int16',
  H: 'uint16',
  i: 'int32',
  I: 'uint32',
  q: 'int64',
  Q: 'uint64',
  f: 'float32',
  d: 'float64',
} as const;

const constructors = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

type NameOf<C extends TypeCode> = C extends keyof typeof letters ? (typeof letters)[C] : C;

/** The typed array of that type code. */
export type ArrayOf<C extends TypeCode> = NameOf<C> extends keyof TypedArrays ? TypedArrays[NameOf<C>] : never;

/** The element of that type code: bigint for 64-bit integers, else number. */
export type ElementOf<C extends TypeCode> = ArrayOf<C>[number];

/** Bytes of an element. */
export function widthOf(code: TypeCode): number {
  return constructorOf(code).BYTES_PER_ELEMENT;
}

/** A typed array over some bytes. */
export function viewAs<C extends TypeCode>(code: C, bytes: Uint8Array, length: number): ArrayOf<C> {
  const View = constructorOf(code);
  return new View(bytes.buffer as ArrayBuffer, bytes.byteOffset, length) as unknown as ArrayOf<C>;
}

const ranges: Record<string, readonly [number, number]> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

/** Refuses what a typed array would silently turn into another number. */
export function checkElement<T>(code: TypeCode, argument: string, value: T): T {
  const name = nameOf(code);
  const range = ranges[name];
  if (range !== undefined) {
    if (typeof value === 'number' && Number.isInteger(value) && value >= range[0] && value <= range[1]) return value;
    throw new InvalidArgumentError(argument, value, `a whole number from ${range[0]} to ${range[1]} (${name})`);
  }
  if (name.endsWith('64') && name !== 'float64') return checkBigInt(name, argument, value);
  if (typeof value === 'number') return value;
  throw new InvalidArgumentError(argument, value, `a number (${name})`);
}

function checkBigInt<T>(name: string, argument: string, value: T): T {
  if (typeof value === 'bigint') {
    const wrapped = name === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (wrapped === value) return value;
  }
  throw new InvalidArgumentError(argument, value, `a bigint of 64 bits (${name})`);
}

function constructorOf(code: TypeCode) {
  return constructors[nameOf(code)];
}

function nameOf(code: TypeCode): keyof typeof constructors {
  const name = code in letters ? letters[code as keyof typeof letters] : code;
  if (typeof code === 'string' && Object.hasOwn(constructors, name)) return name as keyof typeof constructors;
  throw new InvalidArgumentError(
    'type',
    code,
    `one of ${[...Object.keys(constructors), ...Object.keys(letters)].join(', ')}`,
  );
}
