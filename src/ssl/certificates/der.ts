import type { BaseBlock, ViewWriter } from 'asn1js';
import {
  BitString,
  BmpString,
  Boolean as Asn1Boolean,
  Constructed,
  GeneralizedTime,
  IA5String,
  Integer,
  Null,
  ObjectIdentifier,
  OctetString,
  Primitive,
  PrintableString,
  RawData,
  Sequence,
  Set as Asn1Set,
  UTCTime,
  Utf8String,
} from 'asn1js';

// The words in which RFC 5280 and RFC 7292 describe their structures; asn1js encodes them.

/** A piece of a structure. */
export type Node = BaseBlock | RawData;

export function encode(node: Node): Buffer {
  return Buffer.from(node.toBER());
}

export function sequence(...children: readonly Node[]): Node {
  return new Sequence({ value: children as BaseBlock[] });
}

export function set(...children: readonly Node[]): Node {
  return new Asn1Set({ value: children as BaseBlock[] });
}

export function oid(value: string): Node {
  return new ObjectIdentifier({ value });
}

export function integer(value: number): Node {
  return new Integer({ value });
}

/** A positive integer of any size, most significant byte first. */
export function bigInteger(bytes: Buffer): Node {
  return Integer.fromBigInt(`0x${bytes.toString('hex')}`);
}

export function boolean(value: boolean): Node {
  return new Asn1Boolean({ value });
}

export function nothing(): Node {
  return new Null();
}

export function octets(valueHex: Uint8Array): Node {
  return new OctetString({ valueHex });
}

export function bits(valueHex: Uint8Array, unusedBits = 0): Node {
  return new BitString({ valueHex, unusedBits });
}

export function utf8(value: string): Node {
  return new Utf8String({ value });
}

export function printable(value: string): Node {
  return new PrintableString({ value });
}

export function ia5(value: string): Node {
  return new IA5String({ value });
}

export function bmp(value: string): Node {
  return new BmpString({ value });
}

/** Two digits of a year until 2049, four from then on. (RFC 5280 section 4.1.2.5) */
export function time(valueDate: Date): Node {
  return valueDate.getUTCFullYear() < 2050 ? new UTCTime({ valueDate }) : new GeneralizedTime({ valueDate });
}

/** `[tag] EXPLICIT` */
export function explicit(tagNumber: number, ...children: readonly Node[]): Node {
  return new Constructed({ idBlock: { tagClass: 3, tagNumber }, value: children as BaseBlock[] });
}

/** `[tag] IMPLICIT` of something that has no parts. */
export function implicit(tagNumber: number, valueHex: Uint8Array): Node {
  return new Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex });
}

/** What is encoded already. */
export function raw(der: Uint8Array): Node {
  return new Encoded({ data: der });
}

// Inside of a structure asn1js 4.0 gives its parts a writer, and RawData itself does not write to it.
class Encoded extends RawData {
  override toBER(sizeOnly?: boolean, writer?: ViewWriter): ArrayBuffer {
    const bytes = super.toBER(sizeOnly);
    writer?.write(bytes);
    return bytes;
  }
}
