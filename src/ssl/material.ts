import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, SSLError, SystemError } from '../base/errors.ts';

/** Reads a file of certificates or keys; small, and read when a context is set up. Throws SystemError. */
export function readMaterial(path: string): Buffer {
  if (typeof path !== 'string' || path === '') throw new InvalidArgumentError('path', path, 'the path of a file');
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = 'EIO', errno = 5, syscall = 'open' } = error as NodeJS.ErrnoException;
    const message = (error as Error).message.replace(/^\w+: |, \w+( '.*')?$/g, '');
    throw new SystemError(code, Math.abs(errno), syscall, { path, message, cause: error });
  }
}

/** The certificates in PEM, or one in DER, each as PEM. Throws SSLError where there is none or one is broken. */
export function readAuthorities(data: string | Uint8Array, name: string): string[] {
  const bytes = Buffer.from(data as Uint8Array);
  const text = bytes.toString('latin1');
  const blocks = text.match(pemBlock) ?? [];
  const found = blocks.length > 0 || text.includes('-----BEGIN') ? blocks : [bytes];
  if (found.length === 0) throw noCertificate(name);
  return found.map((each) => {
    try {
      return new X509Certificate(each).toString();
    } catch (error) {
      throw noCertificate(name, error);
    }
  });
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function noCertificate(name: string, cause?: unknown): SSLError {
  return new SSLError(`${name} holds no certificate`, {
    reason: 'NO_CERTIFICATE_OR_CRL_FOUND',
    ...(cause !== undefined && { cause }),
  });
}
