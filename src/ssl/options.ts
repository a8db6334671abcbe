import { InvalidArgumentError } from '../base/errors.ts';
import type { TLSVersion } from './constants.ts';
import { tlsVersions } from './constants.ts';

/** Validates a version that is set, and that the range of versions is not empty with it. */
export function checkRange(argument: string, version: TLSVersion, min: TLSVersion, max: TLSVersion): void {
  if (!tlsVersions.includes(version)) throw new InvalidArgumentError(argument, version, tlsVersions.join(', '));
  if (tlsVersions.indexOf(min) <= tlsVersions.indexOf(max)) return;
  throw new InvalidArgumentError(
    argument,
    version,
    argument === 'minimumVersion' ? `at most ${max}` : `at least ${min}`,
  );
}

/** Validates protocol names for ALPN. */
export function checkAlpn(protocols: readonly string[]): readonly string[] {
  const good = (name: unknown): boolean => typeof name === 'string' && name !== '' && Buffer.byteLength(name) < 256;
  if (Array.isArray(protocols) && protocols.every(good)) return [...protocols];
  throw new InvalidArgumentError('protocols', protocols, 'an array of names of 1 to 255 bytes');
}
