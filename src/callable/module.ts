import { fileURLToPath } from 'node:url';
import { ImportContext, context } from './context.ts';
import { isWorker } from './guard.ts';
import type { ModuleLocation } from './location.ts';
import { moduleUrl } from './location.ts';
import { registeredNames } from './registry.ts';
import { hasTwin, twinUrl } from './typescript/twin.ts';

/** A module's exports. */
export type Namespace = Record<string, unknown>;

/**
 * Imports a module by its location: JavaScript as Node does, TypeScript (`.ts`, `.mts`, `.cts`) on every Node version
 * by way of a transformed twin on disk that keeps the original's `import.meta` and resolves what the original resolves.
 *
 * @throws SyntaxError naming file:line:column; NotFoundError if an import leads nowhere; what the module itself throws.
 * @example
 * const { app } = await importModule(new URL('./tasks.ts', import.meta.url));
 */
export async function importModule(where: ModuleLocation): Promise<Namespace> {
  const url = moduleUrl(where);
  const path = typeScriptPath(url);
  const target = path === undefined || isNative(url, path) ? url : await twin(path);
  // Code that runs because of an import, later continuations included, carries this context: see checkMayStart.
  return context.run(new ImportContext(url), () => import(target) as Promise<Namespace>);
}

function typeScriptPath(url: string): string | undefined {
  return /^file:.*\.[cm]?ts(?:[?#].*)?$/.test(url) ? fileURLToPath(url) : undefined;
}

async function twin(path: string): Promise<string> {
  // Only source maps of modules loaded after this are seen, so it comes before the first of them.
  process.setSourceMapsEnabled(true);
  return twinUrl(path);
}

// In a program that Node (or a loader such as tsx) runs as TypeScript, the module may be there already under its own
// URL, and a twin would be a second instance with its own state. So a TypeScript program imports natively, and so does
// a module known to be there because it registered functions without being a twin. Workers always use twins.
function isNative(url: string, path: string): boolean {
  if (isWorker() || hasTwin(path)) return false;
  return /\.[cm]?ts$/.test(process.argv[1] ?? '') || registeredNames(url).length > 0;
}
