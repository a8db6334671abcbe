import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { BaseBlock, Constructed } from 'asn1js';
import { BitString, fromBER, ObjectIdentifier, OctetString } from 'asn1js';
import { UnsupportedError } from '../../base/errors.ts';
import type { Node } from './der.ts';
import { bigInteger, bits, encode, explicit, integer, nothing, oid, raw, sequence, set, time, utf8 } from './der.ts';
import type { Role } from './extensions.ts';
import { extensions } from './extensions.ts';
import type { Subject } from './subject.ts';

/** Who signs: a certificate and its key. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What a certificate is to say. */
export interface Contents {
  readonly subject: Subject;
  readonly role: Role;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Makes a certificate for the key and signs it; without an issuer it signs itself. (RFC 5280) */
export function signCertificate(contents: Contents, key: KeyObject, issuer?: Issuer): X509Certificate {
  const { subject, role, notBefore, notAfter } = contents;
  const name = distinguishedName(subject);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const keyId = keyIdentifier(publicKey);
  const from = issuer === undefined ? { name, keyId } : issuerParts(issuer.certificate);
  const signer = issuer?.key ?? key;
  const { algorithm, digest } = signatureOf(signer);
  const toBeSigned = encode(
    sequence(
      explicit(0, integer(2)),
      bigInteger(serialNumber()),
      algorithm,
      from.name,
      sequence(time(notBefore), time(notAfter)),
      name,
      raw(publicKey),
      explicit(3, extensions(role, keyId, from.keyId, { isRsa: key.asymmetricKeyType === 'rsa' })),
    ),
  );
  const signature = sign(digest, toBeSigned, signer);
  return new X509Certificate(encode(sequence(raw(toBeSigned), algorithm, bits(signature))));
}

function distinguishedName({ commonName, organization }: Subject): Node {
  const part = (type: string, value: string | undefined): Node[] =>
    value === undefined ? [] : [set(sequence(oid(type), utf8(value)))];
  return sequence(...part('2.5.4.10', organization), ...part('2.5.4.3', commonName));
}

/** The name exactly as the issuer wrote it, or verifiers would not see that it is the same, and the issuer's key id. */
function issuerParts(certificate: X509Certificate): { name: Node; keyId: Buffer } {
  const [toBeSigned] = partsOf(fromBER(certificate.raw).result);
  const fields = partsOf(toBeSigned!);
  const subject = fields[5]!;
  const list = fields.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 3);
  const own = list === undefined ? undefined : subjectKeyId(partsOf(partsOf(list)[0]!));
  const publicKey = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return { name: raw(subject.valueBeforeDecodeView), keyId: own ?? keyIdentifier(publicKey) };
}

function subjectKeyId(list: readonly BaseBlock[]): Buffer | undefined {
  for (const extension of list) {
    const [type, value] = [partsOf(extension)[0], partsOf(extension).at(-1)];
    if (!(type instanceof ObjectIdentifier) || type.getValue() !== '2.5.29.14') continue;
    const inner = value instanceof OctetString ? fromBER(value.getValue()).result : undefined;
    if (inner instanceof OctetString) return Buffer.from(inner.getValue());
  }
  return undefined;
}

function partsOf(block: BaseBlock): BaseBlock[] {
  return (block as Constructed).valueBlock.value;
}

/** RFC 7093 section 2, method 1: the SHA-256 of the key's bits, cut to 160 bits. */
function keyIdentifier(publicKey: Buffer): Buffer {
  const key = partsOf(fromBER(publicKey).result)[1] as BitString;
  return createHash('sha256').update(key.valueBlock.valueHexView).digest().subarray(0, 20);
}

// 127 random bits; positive, not zero, without a leading zero byte.
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function signatureOf(key: KeyObject): { algorithm: Node; digest: string | null } {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return { algorithm: sequence(oid('1.2.840.113549.1.1.11'), nothing()), digest: 'sha256' };
  if (type === 'ed25519') return { algorithm: sequence(oid('1.3.101.112')), digest: null };
  if (type !== 'ec') throw new UnsupportedError(`an authority cannot sign with a key of type ${type}: use EC or RSA`);
  return details?.namedCurve === 'secp384r1'
    ? { algorithm: sequence(oid('1.2.840.10045.4.3.3')), digest: 'sha384' }
    : { algorithm: sequence(oid('1.2.840.10045.4.3.2')), digest: 'sha256' };
}
