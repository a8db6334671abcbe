import type { Node } from './der.ts';
import { bits, boolean, encode, implicit, integer, octets, oid, sequence } from './der.ts';
import { addressBytes } from './address.ts';
import type { AlternativeName } from './subject.ts';

/** What a certificate is for. */
export type Role =
  | { readonly kind: 'authority'; readonly pathLength: number | undefined }
  | {
      readonly kind: 'end';
      readonly purposes: readonly ('server' | 'client')[];
      readonly names: readonly AlternativeName[];
      /** Whether the alternative names are all there is of the holder. */
      readonly nameless: boolean;
    };

/** The extensions of a certificate, those that must be understood marked critical. (RFC 5280 section 4.2) */
export function extensions(role: Role, keyId: Buffer, issuerKeyId: Buffer, key: { readonly isRsa: boolean }): Node {
  return sequence(
    extension('2.5.29.19', basicConstraints(role), true),
    extension('2.5.29.15', keyUsage(role, key.isRsa), true),
    ...(role.kind === 'end' ? endExtensions(role) : []),
    extension('2.5.29.14', octets(keyId)),
    extension('2.5.29.35', sequence(implicit(0, issuerKeyId))),
  );
}

function extension(type: string, value: Node, critical = false): Node {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(encode(value)));
}

function basicConstraints(role: Role): Node {
  if (role.kind === 'end') return sequence();
  return sequence(boolean(true), ...(role.pathLength === undefined ? [] : [integer(role.pathLength)]));
}

// Bit 0 is the leftmost: digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign.
function keyUsage(role: Role, isRsa: boolean): Node {
  if (role.kind === 'authority') return bits(Buffer.from([0b00000110]), 1);
  return isRsa ? bits(Buffer.from([0b10100000]), 5) : bits(Buffer.from([0b10000000]), 7);
}

function endExtensions(role: Role & { kind: 'end' }): Node[] {
  const purposes = role.purposes.map((purpose) => oid(purposeIds[purpose]));
  const names = role.names.map(generalName);
  return [
    extension('2.5.29.37', sequence(...purposes)),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names), role.nameless)]),
  ];
}

const purposeIds = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

function generalName({ kind, value }: AlternativeName): Node {
  if (kind === 'ip') return implicit(7, addressBytes(value));
  return implicit(kind === 'email' ? 1 : 2, Buffer.from(value, 'latin1'));
}
