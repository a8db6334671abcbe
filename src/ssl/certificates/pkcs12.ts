import type { KeyObject, X509Certificate } from 'node:crypto';
import { createCipheriv, createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Node } from './der.ts';
import { bmp, encode, explicit, implicit, integer, nothing, octets, oid, sequence, set } from './der.ts';
import { macKey } from './pkcs12-key.ts';

/** What goes into a PKCS#12 file. */
export interface Bundle {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** The authorities above it. */
  readonly authorities: readonly X509Certificate[];
  readonly friendlyName: string;
}

/**
 * Rounds of the key derivation, for each of its three uses: the weakest would be the way in. (RFC 8018 section 4.2
 * says "at least 1,000", OpenSSL takes 2,048.)
 */
const iterations = 50_000;

/**
 * A certificate with its key, encrypted by AES-256-CBC (PBES2) with an HMAC of SHA-256: what OpenSSL 3, Java, Windows
 * and macOS read without their legacy algorithms. (RFC 7292, RFC 8018)
 */
export async function encodePkcs12(bundle: Bundle, password: string): Promise<Buffer> {
  const safe = encode(sequence(await certificates(bundle, password), await privateKey(bundle, password)));
  return encode(sequence(integer(3), data(safe), authentication(safe, password)));
}

async function certificates({ certificate, authorities, ...holder }: Bundle, password: string): Promise<Node> {
  const bags = [
    bag(certBag, certificateValue(certificate), attributes(certificate, holder.friendlyName)),
    ...authorities.map((authority) => bag(certBag, certificateValue(authority))),
  ];
  const { algorithm, encrypted } = await encrypt(encode(sequence(...bags)), password);
  const content = sequence(oid(dataType), algorithm, implicit(0, encrypted));
  return sequence(oid(encryptedDataType), explicit(0, sequence(integer(0), content)));
}

async function privateKey({ key, certificate, friendlyName }: Bundle, password: string): Promise<Node> {
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const { algorithm, encrypted } = await encrypt(plain, password);
  const shrouded = bag(shroudedKeyBag, sequence(algorithm, octets(encrypted)), attributes(certificate, friendlyName));
  return data(encode(sequence(shrouded)));
}

const dataType = '1.2.840.113549.1.7.1';
const encryptedDataType = '1.2.840.113549.1.7.6';
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2';
const certBag = '1.2.840.113549.1.12.10.1.3';

function data(content: Buffer): Node {
  return sequence(oid(dataType), explicit(0, octets(content)));
}

function bag(type: string, value: Node, marks: readonly Node[] = []): Node {
  return sequence(oid(type), explicit(0, value), ...(marks.length === 0 ? [] : [set(...marks)]));
}

function certificateValue(certificate: X509Certificate): Node {
  return sequence(oid('1.2.840.113549.1.9.22.1'), explicit(0, octets(certificate.raw)));
}

/** By the same local id a reader finds the key that belongs to a certificate. */
function attributes(certificate: X509Certificate, friendlyName: string): Node[] {
  const localId = createHash('sha1').update(certificate.raw).digest();
  return [
    sequence(oid('1.2.840.113549.1.9.20'), set(bmp(friendlyName))),
    sequence(oid('1.2.840.113549.1.9.21'), set(octets(localId))),
  ];
}

/** PBES2: PBKDF2 with HMAC-SHA-256, AES-256-CBC. */
async function encrypt(plain: Buffer, password: string): Promise<{ algorithm: Node; encrypted: Buffer }> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await promisify(pbkdf2)(password, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const prf = sequence(oid('1.2.840.113549.2.9'), nothing());
  const derivation = sequence(
    oid('1.2.840.113549.1.5.12'),
    sequence(octets(salt), integer(iterations), integer(32), prf),
  );
  const scheme = sequence(oid('2.16.840.1.101.3.4.1.42'), octets(iv));
  return { algorithm: sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, scheme)), encrypted };
}

function authentication(safe: Buffer, password: string): Node {
  const salt = randomBytes(16);
  const mac = createHmac('sha256', macKey(password, salt, iterations))
    .update(safe)
    .digest();
  const digest = sequence(sequence(oid('2.16.840.1.101.3.4.2.1'), nothing()), octets(mac));
  return sequence(digest, octets(salt), integer(iterations));
}
