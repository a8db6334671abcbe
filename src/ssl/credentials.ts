import type { SecureContext, SecureContextOptions } from 'node:tls';
import * as tls from 'node:tls';
import { createSecureContext } from 'node:tls';
import { InvalidArgumentError, SSLError } from '../base/errors.ts';
import type { Chain, ChainSource } from './chain.ts';
import { chainFiles, readChain } from './chain.ts';
import type { TLSVersion } from './constants.ts';
import { readAuthorities, readMaterial } from './material.ts';

/** Authorities from a file or from memory. */
export type AuthoritySource = { readonly cafile: string } | { readonly cadata: string | Uint8Array };

interface Versions {
  readonly minVersion?: TLSVersion;
  readonly maxVersion?: TLSVersion;
}

/** The certificates, authorities and protocol settings of a context, and what Node makes of them. */
export class Credentials {
  #minVersion: TLSVersion = 'TLSv1.2';
  #maxVersion: TLSVersion = 'TLSv1.3';
  #ciphers: string | undefined;
  #chainSources: readonly ChainSource[] = [];
  #chains: readonly Chain[] = [];
  #authoritySources: readonly AuthoritySource[] = [];
  #authorities: readonly string[] = [];
  #defaults = false;
  #made: SecureContext | undefined;

  get minVersion(): TLSVersion {
    return this.#minVersion;
  }

  get maxVersion(): TLSVersion {
    return this.#maxVersion;
  }

  get hasChain(): boolean {
    return this.#chains.length > 0;
  }

  /** The files they were read from. */
  get files(): string[] {
    const authorities = this.#authoritySources.flatMap((source) => ('cafile' in source ? [source.cafile] : []));
    return [...this.#chainSources.flatMap(chainFiles), ...authorities];
  }

  /**
   * The same object until something changes. The keys of session tickets are its own, so that nobody resumes a session
   * that was agreed under other rules.
   */
  get secureContext(): SecureContext {
    this.#made ??= createSecureContext(this.#options());
    return this.#made;
  }

  /** Takes new versions; forgets what was made, sessions included. */
  change({ minVersion = this.#minVersion, maxVersion = this.#maxVersion }: Versions = {}): void {
    this.#minVersion = minVersion;
    this.#maxVersion = maxVersion;
    this.#made = undefined;
  }

  addChain(source: ChainSource): void {
    const chain = readChain(source);
    this.#chainSources = [...this.#chainSources, source];
    this.#chains = [...this.#chains, chain];
    this.change();
  }

  addAuthorities(source: AuthoritySource): void {
    const found = authoritiesOf(source);
    this.#authoritySources = [...this.#authoritySources, source];
    this.#authorities = [...this.#authorities, ...found];
    this.change();
  }

  trustDefaults(): void {
    this.#defaults = true;
    this.change();
  }

  setCiphers(ciphers: string): void {
    const suites = ciphers.split(':').some((name) => name.startsWith('TLS_')) ? ciphers : `${tls13Suites}:${ciphers}`;
    try {
      createSecureContext({ ciphers: suites });
    } catch (error) {
      throw new SSLError(`ciphers: ${JSON.stringify(ciphers)} names no cipher suite`, {
        reason: 'NO_CIPHER_MATCH',
        cause: error,
      });
    }
    this.#ciphers = suites;
    this.change();
  }

  /** Reads everything again, and takes it only if all of it is good. */
  reload(): void {
    const chains = this.#chainSources.map(readChain);
    const authorities = this.#authoritySources.flatMap(authoritiesOf);
    const made = createSecureContext(this.#options(chains, authorities));
    this.#chains = chains;
    this.#authorities = authorities;
    this.#made = made;
  }

  #options(chains = this.#chains, authorities = this.#authorities): SecureContextOptions {
    const pem = chains.filter(({ cert }) => cert !== undefined);
    const pfx = chains.filter(({ pfx }) => pfx !== undefined);
    return {
      ...(pem.length > 0 && { cert: pem.map(({ cert }) => cert!), key: pem.map(({ key }) => key!) }),
      ...(pfx.length > 0 && { pfx: pfx.map(({ pfx }) => pfx!) }),
      ...this.#trusted(authorities),
      ...(this.#ciphers !== undefined && { ciphers: this.#ciphers }),
      minVersion: this.#minVersion,
      maxVersion: this.#maxVersion,
      honorCipherOrder: true,
      // Without one OpenSSL refuses to resume sessions of clients that showed a certificate.
      sessionIdContext: 'simul',
    };
  }

  // Node trusts its own list where `ca` is missing: a server that trusts nobody must say so by an empty one, or any
  // certificate of a public authority would do for a client.
  #trusted(authorities: readonly string[]): { ca?: string[] } {
    if (!this.#defaults) return { ca: [...authorities] };
    return authorities.length === 0 ? {} : { ca: [...nodeAuthorities(), ...authorities] };
  }
}

/** What Node trusts by default; before 22.15 it does not tell what NODE_EXTRA_CA_CERTS adds. */
function nodeAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  return getCACertificates?.('default') ?? tls.rootCertificates;
}

const tls13Suites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

function authoritiesOf(source: AuthoritySource): string[] {
  if ('cafile' in source) return readAuthorities(readMaterial(source.cafile), source.cafile);
  const { cadata } = source;
  if (typeof cadata === 'string' || cadata instanceof Uint8Array) return readAuthorities(cadata, 'cadata');
  throw new InvalidArgumentError('cadata', cadata, 'PEM text, or bytes of PEM or DER');
}
