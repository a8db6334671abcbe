import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { InvalidArgumentError } from '../../base/errors.ts';

/** An alternative name of the holder of a certificate. */
export interface AlternativeName {
  readonly kind: 'dns' | 'ip' | 'email';
  readonly value: string;
}

/** Tells addresses, e-mail addresses and host names (`*.` for one label; IDN in its ASCII form) apart. */
export function alternativeName(name: string): AlternativeName {
  if (typeof name !== 'string' || name === '') throw unacceptable(name);
  if (isIP(name) !== 0) return { kind: 'ip', value: name };
  if (name.includes('@')) return { kind: 'email', value: emailAddress(name) };
  const [, star = '', host = ''] = /^(\*\.)?(.+)$/.exec(name) ?? [];
  const ascii = domainToASCII(host).replace(/\.$/, '');
  if (!hostName.test(ascii) || ascii.length > 253) throw unacceptable(name);
  return { kind: 'dns', value: star + ascii };
}

const hostName = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

function emailAddress(name: string): string {
  if (!/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(name)) throw unacceptable(name);
  return name;
}

function unacceptable(name: unknown): InvalidArgumentError {
  return new InvalidArgumentError('names', name, 'host names, IP addresses or e-mail addresses');
}

/** Who holds a certificate: parts of a distinguished name. */
export interface Subject {
  readonly commonName?: string | undefined;
  readonly organization?: string | undefined;
}

/** The longest common name and organization that X.520 allows, in characters. */
export const longestName = 64;

/** Validates the parts of a distinguished name. */
export function checkSubject(subject: Subject): Subject {
  for (const [argument, value] of Object.entries(subject)) {
    if (value === undefined) continue;
    const good = typeof value === 'string' && value !== '' && value.length <= longestName;
    if (!good) throw new InvalidArgumentError(argument, value, `a text of 1 to ${longestName} characters`);
  }
  return subject;
}
