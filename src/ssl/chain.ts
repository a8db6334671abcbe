import type { KeyObject } from 'node:crypto';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { InvalidArgumentError, SSLError } from '../base/errors.ts';
import { readMaterial } from './material.ts';

/** A certificate with its key in memory: what `certificates` makes, or PEM texts; or both in PKCS#12. */
export interface CertificateData {
  /** PEM: the certificate, then those of the authorities between it and the root. */
  readonly cert?: string | Uint8Array | undefined;
  /** PEM; without it the key stands in `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** PKCS#12, instead of `cert` and `key`. */
  readonly pfx?: Uint8Array | undefined;
}

/** Where a chain comes from; kept, so that it can be read again. */
export interface ChainSource {
  readonly chain: string | CertificateData;
  readonly keyfile?: string | undefined;
  readonly password?: string | undefined;
}

/** As Node takes it. */
export interface Chain {
  readonly cert?: Buffer;
  readonly key?: { readonly pem: Buffer; readonly passphrase?: string };
  readonly pfx?: { readonly buf: Buffer; readonly passphrase?: string };
}

/** Reads and checks a certificate chain with its key. Throws SystemError, SSLError, InvalidArgumentError. */
export function readChain({ chain, keyfile, password }: ChainSource): Chain {
  const passphrase = password === undefined ? {} : { passphrase: password };
  const pfx = typeof chain === 'string' ? pkcs12File(chain) : chain.pfx;
  if (pfx !== undefined) return checkedPkcs12(Buffer.from(pfx), passphrase, nameOf(chain, 'pfx'));
  const cert = typeof chain === 'string' ? readMaterial(chain) : bytesOf('cert', chain.cert);
  const given = typeof chain === 'string' ? undefined : chain.key;
  const pem = keyfile !== undefined ? readMaterial(keyfile) : given === undefined ? cert : bytesOf('key', given);
  const certName = nameOf(chain, 'cert');
  const keyName = keyfile ?? (given === undefined ? certName : 'key');
  checkPair(certificateOf(cert, certName), privateKeyOf(pem, keyName, password), certName, keyName);
  return { cert, key: { pem, ...passphrase } };
}

/** The files a chain is read from. */
export function chainFiles({ chain, keyfile }: ChainSource): string[] {
  return [...(typeof chain === 'string' ? [chain] : []), ...(keyfile === undefined ? [] : [keyfile])];
}

function pkcs12File(path: string): Buffer | undefined {
  return /\.(p12|pfx)$/i.test(path) ? readMaterial(path) : undefined;
}

function checkedPkcs12(buf: Buffer, passphrase: { readonly passphrase?: string }, name: string): Chain {
  const pfx = { buf, ...passphrase };
  try {
    createSecureContext({ pfx: [pfx] });
  } catch (error) {
    const wrong = /mac verify failure/.test((error as Error).message);
    throw wrong ? wrongPassword(name, error) : unusable(name, 'is no PKCS#12 that can be read', 'PKCS12', error);
  }
  return { pfx };
}

function certificateOf(pem: Buffer, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(name, 'holds no certificate in PEM form', 'NO_START_LINE', error);
  }
}

function privateKeyOf(pem: Buffer, name: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) });
  } catch (error) {
    // What OpenSSL says of it differs: by a wrong password the padding may come out right by chance.
    if (isEncrypted(pem)) {
      if (passphrase !== undefined) throw wrongPassword(name, error);
      throw unusable(name, 'is encrypted: give its password', 'BAD_PASSWORD_READ', error);
    }
    throw unusable(name, 'holds no private key in PEM form', 'NO_START_LINE', error);
  }
}

function checkPair(certificate: X509Certificate, key: KeyObject, certName: string, keyName: string): void {
  if (certificate.checkPrivateKey(key)) return;
  const pair = certName === keyName ? certName : `${keyName} and ${certName}`;
  throw unusable(pair, 'do not belong together: the key is not that of the certificate', 'KEY_VALUES_MISMATCH');
}

function wrongPassword(name: string, cause: unknown): SSLError {
  return unusable(name, 'cannot be decrypted: wrong password', 'BAD_DECRYPT', cause);
}

function unusable(name: string, what: string, reason: string, cause?: unknown): SSLError {
  return new SSLError(`${name} ${what}`, { reason, ...(cause !== undefined && { cause }) });
}

function isEncrypted(pem: Buffer): boolean {
  return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem.toString('latin1'));
}

function bytesOf(name: string, value: string | Uint8Array | undefined): Buffer {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new InvalidArgumentError(name, value, 'PEM text or its bytes');
  }
  return Buffer.from(value as Uint8Array);
}

function nameOf(chain: string | CertificateData, name: string): string {
  return typeof chain === 'string' ? chain : name;
}
