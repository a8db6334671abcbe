import { statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NotFoundError } from '../../base/errors.ts';

/** Where an import of a TypeScript file leads: to another one (its twin is to be imported), or to what Node can load. */
export type Target =
  | { readonly kind: 'typescript'; readonly path: string }
  | { readonly kind: 'native'; readonly specifier: string };

/**
 * Resolves a specifier as from the original file, so that the twin may lie anywhere.
 *
 * @throws NotFoundError if it leads nowhere.
 */
export async function resolveSpecifier(specifier: string, from: string): Promise<Target> {
  if (isBuiltin(specifier) || /^(data|node|https?):/.test(specifier)) return { kind: 'native', specifier };
  if (/^(\.{0,2}\/|file:)/.test(specifier)) return resolveFile(specifier, from);
  return resolvePackage(specifier, from);
}

/** The TypeScript or other file that a relative specifier means: `./x.js` may mean `./x.ts`, as TypeScript has it. */
export function findFile(url: URL): string | undefined {
  const path = fileURLToPath(url);
  return [path, ...typescriptNames(path)].find((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
}

export function isTypeScriptPath(path: string): boolean {
  return /\.[cm]?ts$/.test(path);
}

function typescriptNames(path: string): string[] {
  const ending = /\.([cm]?)js$/.exec(path);
  if (ending !== null) return [`${path.slice(0, ending.index)}.${ending[1]}ts`];
  return [`${path}.ts`, `${path}.cts`, `${path}.js`, `${path}/index.ts`, `${path}/index.js`];
}

function resolveFile(specifier: string, from: string): Target {
  const url = new URL(specifier, pathToFileURL(from));
  const path = findFile(url);
  if (path === undefined) {
    throw new NotFoundError(`${from} imports "${specifier}", but there is no such file`);
  }
  if (isTypeScriptPath(path)) return { kind: 'typescript', path };
  const found = pathToFileURL(path);
  return { kind: 'native', specifier: found.href + url.search + url.hash };
}

async function resolvePackage(specifier: string, from: string): Promise<Target> {
  // Node resolves from another file's place only behind a flag; this is its algorithm as a library.
  const { moduleResolve } = await import('import-meta-resolve');
  let url: string;
  try {
    url = moduleResolve(specifier, pathToFileURL(from), conditions()).href;
  } catch (cause) {
    throw new NotFoundError(`${from} imports "${specifier}", which cannot be found: ${(cause as Error).message}`, {
      cause,
    });
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : '';
  // `#imports` and self-references may lead to TypeScript of this package.
  return isTypeScriptPath(path) ? { kind: 'typescript', path } : { kind: 'native', specifier: url };
}

function conditions(): Set<string> {
  const given = process.execArgv.flatMap((option, index, all) => {
    if (option === '-C' || option === '--conditions') return [all[index + 1] ?? ''];
    return option.startsWith('--conditions=') ? [option.slice('--conditions='.length)] : [];
  });
  const requirable = 'require_module' in process.features ? ['module-sync'] : [];
  return new Set(['node', 'import', ...requirable, ...given]);
}
