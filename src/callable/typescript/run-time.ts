import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnsupportedError } from '../../base/errors.ts';
import { cacheFolder, writeCached } from './cache.ts';
import { importSlot, requireSlot } from './imports.ts';
import { findFile, isTypeScriptPath, resolveSpecifier } from './resolution.ts';
import type { Transformed } from './transform.ts';
import { transformSync } from './transform.ts';

type Slots = Record<symbol, unknown>;

/** Gives the twins of this thread their `require` and the `import()` whose argument only running them tells. */
export function fillSlots(twinUrl: (path: string) => Promise<string>): void {
  const slots = globalThis as Slots;
  slots[Symbol.for(requireSlot)] ??= requireFrom;
  slots[Symbol.for(importSlot)] ??= (from: string) => importFrom(from, twinUrl);
}

/** The file a CommonJS twin is kept in: it names no other twin, so its own inputs name it. */
export function commonjsTwin(path: string, transformed: Transformed): string {
  return join(cacheFolder(path), `${transformed.key}.cjs`);
}

function requireFrom(path: string): NodeJS.Require {
  const native = createRequire(path);
  const target = (specifier: string) => (/^\.{0,2}\//.test(specifier) ? typescriptFile(specifier, path) : undefined);
  const replaced = (specifier: string): unknown => native(twinOf(target(specifier)) ?? specifier);
  const resolve = (specifier: string, options?: NodeJS.RequireResolveOptions) =>
    target(specifier) ?? native.resolve(specifier, options);
  return Object.assign(replaced, native, { resolve: Object.assign(resolve, native.resolve) }) as NodeJS.Require;
}

function typescriptFile(specifier: string, from: string): string | undefined {
  const file = findFile(new URL(specifier, pathToFileURL(from)));
  return file !== undefined && isTypeScriptPath(file) ? file : undefined;
}

function twinOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const transformed = transformSync(path);
  if (!transformed.commonjs) throw new UnsupportedError(`require of the ES module ${path}: use import() instead`);
  const twin = commonjsTwin(path, transformed);
  if (!existsSync(twin)) writeCached(twin, transformed.code);
  return twin;
}

function importFrom(from: string, twinUrl: (path: string) => Promise<string>) {
  return async (specifier: unknown, options?: object): Promise<unknown> => {
    const target = await resolveSpecifier(String(specifier), from);
    const url = target.kind === 'typescript' ? await twinUrl(target.path) : target.specifier;
    return import(url, options as ImportCallOptions);
  };
}
