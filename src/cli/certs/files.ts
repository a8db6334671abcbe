import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Failure } from '../exit.ts';

/** The files of one certificate. */
export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
  readonly pkcs12?: string;
}

/** What goes into them. */
export interface CertificateContents {
  readonly cert: string;
  readonly key: string;
  readonly pkcs12?: Uint8Array | undefined;
}

/** The folder that certificates are kept in: keys can be read by their owner only, nothing is replaced unasked. */
export class CertificateFiles {
  readonly #folder: string;
  readonly #force: boolean;
  readonly #withPkcs12: boolean;

  constructor(folder: string, options: { readonly force: boolean; readonly withPkcs12: boolean }) {
    this.#folder = folder;
    this.#force = options.force;
    this.#withPkcs12 = options.withPkcs12;
  }

  paths(name: string): CertificatePaths {
    const path = (ending: string): string => join(this.#folder, `${name}${ending}`);
    const pkcs12 = this.#withPkcs12 && name !== 'ca' ? { pkcs12: path('.p12') } : {};
    return { cert: path('.pem'), key: path('-key.pem'), ...pkcs12 };
  }

  /** Whether both files are there. Throws Failure for one without the other. */
  has(name: string): boolean {
    const { cert, key } = this.paths(name);
    const [hasCert, hasKey] = [existsSync(cert), existsSync(key)];
    if (hasCert === hasKey) return hasCert;
    throw new Failure(`${hasCert ? cert : key} is there, ${hasCert ? key : cert} is not`);
  }

  /** Throws Failure if something is there that would be replaced. */
  checkFree(name: string): void {
    if (this.#force) return;
    const taken = Object.values({ ...this.paths(name) }).find((path) => existsSync(path));
    if (taken !== undefined) throw new Failure(`${taken} is there already: say --force to replace it`);
  }

  write(name: string, contents: CertificateContents): void {
    mkdirSync(this.#folder, { recursive: true });
    const { cert, key, pkcs12 } = this.paths(name);
    // The key first: a certificate without its key is of no use to anybody.
    this.#put(key, contents.key, 0o600);
    this.#put(cert, contents.cert, 0o644);
    if (pkcs12 !== undefined && contents.pkcs12 !== undefined) this.#put(pkcs12, contents.pkcs12, 0o600);
  }

  #put(path: string, data: string | Uint8Array, mode: number): void {
    if (!this.#force) return writeFileSync(path, data, { mode, flag: 'wx' });
    // Beside it and then in its place, with its own mode: a server that watches it never sees half of it.
    const beside = `${path}.${randomUUID()}`;
    try {
      writeFileSync(beside, data, { mode, flag: 'wx' });
      renameSync(beside, path);
    } finally {
      rmSync(beside, { force: true });
    }
  }
}
