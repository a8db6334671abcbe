import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TransformFailure, TransformOptions } from 'esbuild';
import { MissingLibraryError, NotFoundError } from '../../base/errors.ts';
import { cacheFolder, readCached, writeCached } from './cache.ts';
import { packageType, tsconfig } from './configuration.ts';
import type { ImportSite } from './imports.ts';
import { siteOriginal } from './imports.ts';

/** A TypeScript file as JavaScript that takes itself for the original; its specifiers are still as written. */
export interface Transformed {
  /** Identifies all that went in. */
  readonly key: string;
  readonly commonjs: boolean;
  readonly code: string;
  readonly imports: readonly ImportSite[];
}

/**
 * Transforms one file, or takes it from the cache; esbuild is loaded only in the first case.
 *
 * @throws SyntaxError naming file:line:column, or NotFoundError.
 */
export async function transform(path: string): Promise<Transformed> {
  const job = new Job(path);
  const cached = job.cached();
  if (cached !== undefined) return cached;
  try {
    const { code } = await esbuild().transform(job.source, job.options);
    return job.finish(code);
  } catch (error) {
    throw oneLine(error, path);
  }
}

/** The same on the spot, for `require`. */
export function transformSync(path: string): Transformed {
  const job = new Job(path);
  const cached = job.cached();
  if (cached !== undefined) return cached;
  try {
    return job.finish(esbuild().transformSync(job.source, job.options).code);
  } catch (error) {
    throw oneLine(error, path);
  }
}

const require = createRequire(import.meta.url);
// Bump when the text of the twins changes: old ones then lie unused.
const revision = 1;
const { version } = require('esbuild/package.json') as { version: string };

class Job {
  readonly source: string;
  readonly options: TransformOptions;
  readonly #path: string;
  readonly #key: string;
  readonly #type: 'module' | 'commonjs' | undefined;

  constructor(path: string) {
    this.#path = path;
    this.source = readSource(path);
    this.#type = moduleType(path);
    this.options = transformOptions(path, this.#type);
    const inputs = JSON.stringify([revision, version, path, this.#type ?? '', this.options]);
    this.#key = createHash('sha256').update(inputs).update('\0').update(this.source).digest('hex').slice(0, 40);
  }

  cached(): Transformed | undefined {
    const text = readCached(this.#file);
    if (text === undefined) return undefined;
    try {
      return { key: this.#key, ...(JSON.parse(text) as Omit<Transformed, 'key'>) };
    } catch {
      return undefined;
    }
  }

  finish(code: string): Transformed {
    const sited = siteOriginal(this.#path, code, this.#type);
    writeCached(this.#file, JSON.stringify(sited));
    return { key: this.#key, ...sited };
  }

  get #file(): string {
    return join(cacheFolder(this.#path), `${this.#key}.json`);
  }
}

// node20: lowers `using` and `await using`, which Node 20 and 22 cannot parse. Not bundled: the bundler renames classes
// that mention themselves (`Foo` to `_Foo`), and names cross the wire in errors.
function transformOptions(path: string, type: 'module' | 'commonjs' | undefined): TransformOptions {
  const configuration = tsconfig(path);
  return {
    loader: 'ts',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'inline',
    sourcefile: pathToFileURL(path).href,
    logLevel: 'silent',
    ...(type === undefined ? {} : { format: type === 'module' ? 'esm' : 'cjs' }),
    ...(configuration === undefined ? {} : { tsconfigRaw: configuration }),
  };
}

function moduleType(path: string): 'module' | 'commonjs' | undefined {
  if (path.endsWith('.mts')) return 'module';
  return path.endsWith('.cts') ? 'commonjs' : packageType(path);
}

function readSource(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new NotFoundError(`cannot read the module ${path}: ${(cause as Error).message}`, { cause });
  }
}

function esbuild(): typeof import('esbuild') {
  try {
    return require('esbuild') as typeof import('esbuild');
  } catch (cause) {
    throw new MissingLibraryError('esbuild', 'running TypeScript modules', { cause });
  }
}

function oneLine(error: unknown, path: string): unknown {
  const [first] = (error as Partial<TransformFailure>).errors ?? [];
  if (first === undefined) return error;
  const { line, column } = first.location ?? { line: 1, column: 0 };
  const hint = first.text.startsWith('Top-level await') ? asModule : '';
  return new SyntaxError(`${path}:${line}:${column + 1}: ${first.text}${hint}`);
}

const asModule = ': name it .mts, or say "type": "module" in its package.json';
