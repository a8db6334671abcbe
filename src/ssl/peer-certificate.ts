import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { InvalidArgumentError } from '../base/errors.ts';

/** Parts of a distinguished name by their short names, as in `CN`, `O`, `OU`; several of one kind in an array. */
export type NameParts = Readonly<Record<string, string | readonly string[]>>;

/** A certificate of the other side that was verified. */
export interface PeerCertificate {
  readonly subject: NameParts;
  readonly issuer: NameParts;
  /** Hexadecimal digits. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** As in `['DNS', 'localhost']`, `['IP Address', '127.0.0.1']`, `['email', 'alice@example.org']`. */
  readonly subjectAltName: readonly (readonly [kind: string, value: string])[];
  /** SHA-256 of the certificate, in hexadecimal digits with colons. */
  readonly fingerprint256: string;
}

/**
 * The other side's certificate, after `wrapSocket` or from a stream's `getExtraInfo('socket')`: its parts if it was
 * verified, else undefined, so that nobody takes an unproved name for a proved one; with `binaryForm` its DER, verified
 * or not. Undefined where none was shown. (ssl.SSLSocket.getpeercert)
 *
 * @example
 * const name = getpeercert(socket)?.subject['CN'];
 */
export function getpeercert(
  socket: object,
  options?: { readonly binaryForm?: false | undefined },
): PeerCertificate | undefined;
export function getpeercert(socket: object, options: { readonly binaryForm: true }): Buffer | undefined;
export function getpeercert(
  socket: object,
  { binaryForm = false }: { readonly binaryForm?: boolean | undefined } = {},
): PeerCertificate | Buffer | undefined {
  if (!(socket instanceof TLSSocket)) throw new InvalidArgumentError('socket', socket, 'a socket that speaks TLS');
  const certificate = peerX509(socket);
  if (binaryForm) return certificate?.raw;
  return certificate === undefined || !socket.authorized ? undefined : partsOf(certificate);
}

const remembered = new WeakMap<TLSSocket, X509Certificate>();

/** For a client that resumes a session: OpenSSL does not know the server's certificate then. */
export function rememberPeer(tls: TLSSocket, certificate: X509Certificate | undefined): void {
  if (certificate !== undefined) remembered.set(tls, certificate);
}

/**
 * The other side's certificate, verified or not. Not by `getPeerX509Certificate`: on a client that takes the certificate
 * out of OpenSSL's hands, and a second call finds none.
 */
export function peerX509(tls: TLSSocket): X509Certificate | undefined {
  const { raw } = (tls.getPeerCertificate() as { readonly raw?: Buffer } | undefined) ?? {};
  return raw === undefined ? remembered.get(tls) : new X509Certificate(raw);
}

function partsOf(certificate: X509Certificate): PeerCertificate {
  const { subject, issuer, subjectaltname } = certificate.toLegacyObject();
  return {
    subject: { ...(subject as unknown as NameParts) },
    issuer: { ...(issuer as unknown as NameParts) },
    serialNumber: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    subjectAltName: alternativeNames(subjectaltname ?? ''),
    fingerprint256: certificate.fingerprint256,
  };
}

// Node puts names with a comma or quotes into JSON strings, so that none can pass for two.
function alternativeNames(text: string): [string, string][] {
  const found = text.matchAll(/(?:^|, )([^:]+):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...found].map(([, kind, value]) => [kind!, value!.startsWith('"') ? (JSON.parse(value!) as string) : value!]);
}
