import { readFileSync } from 'node:fs';
import type { CertificateAuthority } from '../../ssl/certificates/authority.ts';
import { createAuthority, loadAuthority } from '../../ssl/certificates/authority.ts';
import type { Certificate } from '../../ssl/certificates/certificate.ts';
import type { KeyType } from '../../ssl/certificates/key-type.ts';
import { messageOf } from '../../base/error-text.ts';
import { Failure } from '../exit.ts';
import type { CertificatePaths } from './files.ts';
import { CertificateFiles } from './files.ts';

/** What the options of all commands say. */
export interface CertificateFlags {
  readonly dir?: string;
  readonly days?: number;
  readonly keyType?: KeyType;
  readonly organization?: string;
  readonly pkcs12?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** One certificate that is to be made. */
export type CertificateRequest =
  | { readonly kind: 'ca'; readonly name: string }
  | { readonly kind: 'server'; readonly names: readonly string[]; readonly out: string }
  | {
      readonly kind: 'client';
      readonly name: string;
      readonly email?: string | undefined;
      readonly out?: string | undefined;
    };

/** What is told of a certificate. */
export interface Made {
  readonly kind: CertificateRequest['kind'];
  readonly names: readonly string[];
  readonly notAfter: string;
  readonly fingerprint256: string;
  readonly files: CertificatePaths;
  /** Whether it was there before. */
  readonly kept: boolean;
}

/** Makes what is asked for, and before it the authority, if that is needed and not there. Throws Failure. */
export async function fulfil(requests: readonly CertificateRequest[], flags: CertificateFlags): Promise<Made[]> {
  return new Registry(flags).fulfil(requests);
}

class Registry {
  readonly #flags: CertificateFlags;
  readonly #files: CertificateFiles;
  readonly #password: string | undefined;

  constructor(flags: CertificateFlags) {
    this.#flags = flags;
    this.#password = flags.pkcs12 === undefined ? undefined : passwordIn(flags.pkcs12);
    const withPkcs12 = this.#password !== undefined;
    this.#files = new CertificateFiles(flags.dir ?? 'certs', { force: flags.force === true, withPkcs12 });
  }

  async fulfil(requests: readonly CertificateRequest[]): Promise<Made[]> {
    for (const request of requests) this.#files.checkFree(baseName(request));
    const [first] = requests;
    if (first?.kind === 'ca') return [(await this.#newAuthority(first.name, this.#flags.days))[1]];
    const [ca, ofAuthority] = this.#files.has('ca') ? this.#kept() : await this.#newAuthority();
    const made = [ofAuthority];
    for (const request of requests) made.push(await this.#issue(ca, request));
    return made;
  }

  /** The days asked for are those of what it issues, unless it was asked for itself. */
  async #newAuthority(name?: string, days?: number): Promise<[CertificateAuthority, Made]> {
    const { keyType, organization } = this.#flags;
    const ca = await createAuthority(name, { days, keyType, organization });
    this.#files.write('ca', { cert: ca.cert, key: ca.key });
    return [ca, this.#told('ca', [commonNameOf(ca)], ca)];
  }

  #kept(): [CertificateAuthority, Made] {
    const { cert, key } = this.#files.paths('ca');
    const ca = loadAuthority(cert, { keyfile: key });
    return [ca, { ...this.#told('ca', [commonNameOf(ca)], ca), kept: true }];
  }

  async #issue(ca: CertificateAuthority, request: CertificateRequest): Promise<Made> {
    const { days, keyType, organization } = this.#flags;
    const [names, certificate] = await issued(ca, request, { days, keyType, organization });
    const pkcs12 = this.#password === undefined ? undefined : await certificate.pkcs12(this.#password);
    this.#files.write(baseName(request), { cert: certificate.cert, key: certificate.key, pkcs12 });
    return this.#told(request.kind, names, certificate, baseName(request));
  }

  #told(kind: Made['kind'], names: readonly string[], { x509 }: Certificate, name: string = kind): Made {
    const { fingerprint256, validTo } = x509;
    const notAfter = new Date(validTo).toISOString();
    return { kind, names, notAfter, fingerprint256, files: this.#files.paths(name), kept: false };
  }
}

async function issued(
  ca: CertificateAuthority,
  request: CertificateRequest,
  options: { days?: number | undefined; keyType?: KeyType | undefined; organization?: string | undefined },
): Promise<[names: readonly string[], certificate: Certificate]> {
  if (request.kind === 'server') return [request.names, await ca.issueServer(request.names, options)];
  const names = 'email' in request && request.email !== undefined ? [request.email] : [];
  const { name } = request as { name: string };
  return [[name, ...names], await ca.issueClient(name, { ...options, names })];
}

// What a person is called may not be what a file can be called.
function baseName(request: CertificateRequest): string {
  if (request.kind === 'ca') return 'ca';
  const name = request.out ?? (request as { name: string }).name.replaceAll(/[^\p{L}\p{N}@._-]/gu, '_');
  if (name === 'ca' || /[/\\]|^\.+$/.test(name)) {
    throw new Failure(`--out: ${JSON.stringify(name)} cannot be the name of the files`, 2);
  }
  return name;
}

function commonNameOf({ x509 }: Certificate): string {
  return /^CN=(.*)$/m.exec(x509.subject)?.[1] ?? x509.subject;
}

function passwordIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`--pkcs12: ${messageOf(error)}`);
  }
  const [first = ''] = text.split(/\r?\n/);
  if (first === '') throw new Failure(`--pkcs12: the first line of ${path} is empty: it is to be a password`);
  return first;
}
