import type { KeyObject } from 'node:crypto';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { realClock } from '../../base/clock.ts';
import { InvalidArgumentError, InvalidStateError } from '../../base/errors.ts';
import { checkOptions } from '../../base/options.ts';
import type { CertificateData } from '../chain.ts';
import { readChain } from '../chain.ts';
import { readAuthorities } from '../material.ts';
import { Certificate } from './certificate.ts';
import type { KeyType } from './key-type.ts';
import { makeKey } from './key-type.ts';
import type { AlternativeName } from './subject.ts';
import { alternativeName, checkSubject, longestName } from './subject.ts';
import type { Contents } from './x509.ts';

/** How long a certificate is valid, and what its key is. */
export interface CertificateOptions {
  readonly organization?: string | undefined;
  /** Days of validity (default 397 for servers and clients, 3650 for authorities); never beyond the issuer's end. */
  readonly days?: number | undefined;
  /** Default: five minutes ago, as clocks differ. */
  readonly notBefore?: Date | undefined;
  /** Instead of `days`. */
  readonly notAfter?: Date | undefined;
  /** Default P-256. */
  readonly keyType?: KeyType | undefined;
}

/** How an authority is made. */
export interface AuthorityOptions extends CertificateOptions {
  /** Authorities that may stand between it and a server or client (default 0: it issues to these only). */
  readonly pathLength?: number | undefined;
}

/** How a certificate is issued. */
export interface IssueOptions extends CertificateOptions {
  /** Host names (also `*.example.org`), IP addresses and e-mail addresses that it is valid for. */
  readonly names?: readonly string[] | undefined;
  /** Default: the first name, if it is not too long for that. */
  readonly commonName?: string | undefined;
  /** What it may be used for (default both). */
  readonly purposes?: readonly ('server' | 'client')[] | undefined;
}

/**
 * Makes an authority of its own, for development or for the mutual TLS of a fleet: who trusts its certificate trusts
 * what it issues. Keep its key. Throws InvalidArgumentError.
 *
 * @example
 * const ca = await createAuthority('Shop development CA');
 * const server = await ca.issueServer(['localhost', '127.0.0.1']);
 */
export async function createAuthority(
  commonName = 'Simul development CA',
  options: AuthorityOptions = {},
): Promise<CertificateAuthority> {
  const contents = authorityContents(commonName, options);
  const key = await makeKey(options.keyType ?? 'P-256');
  const { signCertificate } = await import('./x509.ts');
  return new CertificateAuthority(signCertificate(contents, key), key, [], options.pathLength ?? 0);
}

/**
 * An authority from its certificate and key: a PEM file (with the key in it or in `keyfile`), or from memory. Throws
 * SystemError, SSLError, InvalidArgumentError if the certificate is not that of an authority.
 *
 * @example
 * const ca = loadAuthority('ca.pem', { keyfile: 'ca-key.pem' });
 */
export function loadAuthority(
  chain: string | Omit<CertificateData, 'pfx'>,
  options: { readonly keyfile?: string | undefined; readonly password?: string | undefined } = {},
): CertificateAuthority {
  checkOptions(options);
  const { cert, key } = readChain({ chain, ...options });
  if (cert === undefined || key === undefined) throw new InvalidArgumentError('chain', chain, 'PEM, not PKCS#12');
  const [own, ...above] = readAuthorities(cert, 'cert').map((pem) => new X509Certificate(pem));
  if (!own!.ca) throw new InvalidArgumentError('chain', own!.subject, 'the certificate of an authority');
  return new CertificateAuthority(own!, createPrivateKey({ ...key, key: key.pem }), above);
}

/** An authority: its own certificate, and what it issues. Made by `createAuthority` and `loadAuthority`. */
export class CertificateAuthority extends Certificate {
  readonly #issuer: { readonly certificate: X509Certificate; readonly key: KeyObject };
  readonly #chain: readonly X509Certificate[];
  /** Unknown of one that was loaded. */
  readonly #pathLength: number | undefined;

  /** @internal */
  constructor(x509: X509Certificate, key: KeyObject, authorities: readonly X509Certificate[], pathLength?: number) {
    super(x509, key, authorities);
    this.#issuer = { certificate: x509, key };
    this.#chain = [x509, ...authorities];
    this.#pathLength = pathLength;
  }

  /** A certificate for a server that is reached under these host names and addresses. */
  issueServer(
    names: string | readonly string[],
    options: Omit<IssueOptions, 'names' | 'purposes'> = {},
  ): Promise<Certificate> {
    return this.issue({ ...options, names: typeof names === 'string' ? [names] : names, purposes: ['server'] });
  }

  /** A certificate for a client of that name; e-mail addresses and the like go into `names`. */
  issueClient(commonName: string, options: Omit<IssueOptions, 'commonName' | 'purposes'> = {}): Promise<Certificate> {
    return this.issue({ ...options, commonName, purposes: ['client'] });
  }

  /** A certificate for what is server and client at once, as the members of a fleet are. Throws InvalidArgumentError. */
  async issue(options: IssueOptions): Promise<Certificate> {
    const contents = this.#within(endContents(options));
    const key = await makeKey(options.keyType ?? 'P-256');
    return new Certificate(await this.#sign(contents, key), key, this.#chain);
  }

  /** An authority below this one, which must have been made with a `pathLength` above 0. */
  async issueAuthority(commonName: string, options: AuthorityOptions = {}): Promise<CertificateAuthority> {
    const contents = this.#within(authorityContents(commonName, options));
    const { pathLength = 0 } = options;
    if (this.#pathLength !== undefined && pathLength >= this.#pathLength) {
      throw new InvalidArgumentError('pathLength', pathLength, `less than that of its issuer, ${this.#pathLength}`);
    }
    const key = await makeKey(options.keyType ?? 'P-256');
    return new CertificateAuthority(await this.#sign(contents, key), key, this.#chain, pathLength);
  }

  // What is valid beyond its issuer's end would be refused from then on all the same.
  #within(contents: Contents): Contents {
    const end = new Date(this.x509.validTo);
    if (end <= contents.notBefore)
      throw new InvalidStateError(`the authority is valid until ${end.toISOString()} only`);
    return contents.notAfter > end ? { ...contents, notAfter: end } : contents;
  }

  async #sign(contents: Contents, key: KeyObject): Promise<X509Certificate> {
    const { signCertificate } = await import('./x509.ts');
    return signCertificate(contents, key, this.#issuer);
  }
}

function authorityContents(commonName: string, options: AuthorityOptions): Contents {
  checkOptions(options);
  const { pathLength = 0, organization } = options;
  if (!Number.isInteger(pathLength) || pathLength < 0) {
    throw new InvalidArgumentError('pathLength', pathLength, 'a whole number, 0 or more');
  }
  const subject = checkSubject({ commonName, organization });
  return { subject, role: { kind: 'authority', pathLength }, ...validity(options, 3650) };
}

function endContents(options: IssueOptions): Contents {
  checkOptions(options);
  const { names = [], organization, purposes = ['server', 'client'] } = options;
  const list = names.map(alternativeName);
  const commonName = options.commonName ?? list.find(({ value }) => value.length <= longestName)?.value;
  const subject = checkSubject({ commonName, organization });
  checkPurposes(purposes, list, commonName);
  const nameless = commonName === undefined && organization === undefined;
  return { subject, role: { kind: 'end', purposes, names: list, nameless }, ...validity(options, 397) };
}

function checkPurposes(
  purposes: readonly string[],
  names: readonly AlternativeName[],
  commonName: string | undefined,
): void {
  const known = purposes.length > 0 && purposes.every((each) => each === 'server' || each === 'client');
  if (!known) throw new InvalidArgumentError('purposes', purposes, 'server, client or both');
  const reachable = names.some(({ kind }) => kind !== 'email');
  if (purposes.includes('server') && !reachable) {
    throw new InvalidArgumentError('names', names, 'a host name or address: a server is known by nothing else');
  }
  if (names.length === 0 && commonName === undefined) {
    throw new InvalidArgumentError('commonName', commonName, 'a name');
  }
}

function validity(options: CertificateOptions, standard: number): { notBefore: Date; notAfter: Date } {
  const { days = standard, notBefore = new Date((realClock.time() - 300) * 1000) } = options;
  if (typeof days !== 'number' || !(days > 0 && days < 1e6)) {
    throw new InvalidArgumentError('days', days, 'a number above 0');
  }
  if (!isDate(notBefore)) throw new InvalidArgumentError('notBefore', notBefore, 'a Date');
  const notAfter = options.notAfter ?? new Date((realClock.time() + days * 86_400) * 1000);
  if (!isDate(notAfter) || notAfter <= notBefore) {
    throw new InvalidArgumentError('notAfter', notAfter, 'a Date after notBefore');
  }
  return { notBefore, notAfter };
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
