import type { KeyObject, X509Certificate } from 'node:crypto';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { CertificateData } from '../chain.ts';

/**
 * A certificate with its key, as `CertificateAuthority` issues it: load it with `loadCertChain`, or write it to files.
 * Printing the object does not show the key.
 *
 * @example
 * context.loadCertChain(certificate);
 * await writeFile('server.p12', await certificate.pkcs12(password));
 */
export class Certificate implements CertificateData {
  /** The certificate itself: subject, validity, fingerprints. */
  readonly x509: X509Certificate;
  readonly #key: KeyObject;
  /** From its issuer up to the root. */
  readonly #authorities: readonly X509Certificate[];

  /** @internal */
  constructor(x509: X509Certificate, key: KeyObject, authorities: readonly X509Certificate[]) {
    this.x509 = x509;
    this.#key = key;
    this.#authorities = authorities;
  }

  /** PEM: the certificate and the authorities between it and the root, as a server sends them. */
  get cert(): string {
    const between = this.#authorities.filter((each) => !isRoot(each));
    return [this.x509, ...between].map(String).join('');
  }

  /** The private key in PEM (PKCS#8), not encrypted. */
  get key(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** The private key in PEM, encrypted by AES-256. */
  encryptedKey(password: string): string {
    const passphrase = checkPassword(password);
    return this.#key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  }

  /**
   * Certificate, key and authorities in one PKCS#12 file with algorithms that OpenSSL 3 accepts (AES-256, SHA-256).
   * `friendlyName` is what key stores show (default: the common name). (RFC 7292)
   */
  async pkcs12(password: string, options: { readonly friendlyName?: string | undefined } = {}): Promise<Buffer> {
    checkPassword(password);
    const { encodePkcs12 } = await import('./pkcs12.ts');
    const friendlyName = options.friendlyName ?? /CN=(.*)/.exec(this.x509.subject)?.[1] ?? 'certificate';
    const bundle = { certificate: this.x509, key: this.#key, authorities: this.#authorities, friendlyName };
    return encodePkcs12(bundle, password);
  }
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

// Readers do not agree on what an empty password is in PKCS#12, and it protects nothing.
function checkPassword(password: string): string {
  if (typeof password === 'string' && password !== '') return password;
  throw new InvalidArgumentError('password', typeof password === 'string' ? '' : typeof password, 'a password');
}
