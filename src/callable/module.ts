import { fileURLToPath } from 'node:url';
import { ImportContext, context } from './context.ts';
import { isWorker } from './guard.ts';
import { registeredNames } from './registry.ts';
import { twinUrl } from './typescript/twin.ts';

/** A module's exports. */
export type Namespace = Record<string, unknown>;

/**
 * Imports a module by its URL: JavaScript as Node does, TypeScript (`.ts`, `.mts`, `.cts`) on every Node version by
 * way of a transformed twin on disk that keeps the original's `import.meta` and resolves what the original resolves.
 *
 * @throws SyntaxError naming file:line:column; NotFoundError if an import leads nowhere; what the module itself throws.
 * @example
 * const { app } = await importModule(pathToFileURL('tasks.ts').href);
 */
export async function importModule(url: string): Promise<Namespace> {
  const target = isTypeScript(url) && !loadedNatively(url) ? await twin(url) : url;
  // Code that runs because of an import, later continuations included, carries this context: see checkMayStart.
  return context.run(new ImportContext(url), () => import(target) as Promise<Namespace>);
}

function isTypeScript(url: string): boolean {
  return /^file:.*\.[cm]?ts(?:[?#].*)?$/.test(url);
}

async function twin(url: string): Promise<string> {
  // Only source maps of modules loaded after this are seen, so it comes before the first of them.
  process.setSourceMapsEnabled(true);
  return twinUrl(fileURLToPath(url));
}

// In a program that Node (or a loader such as tsx) runs as TypeScript, the module may be there already under its own
// URL, and a twin would be a second instance with its own state. So a TypeScript program imports natively, and so does
// a module known to be there because it has registered functions. Workers always start from twins.
function loadedNatively(url: string): boolean {
  if (isWorker()) return false;
  return /\.[cm]?ts$/.test(process.argv[1] ?? '') || registeredNames(url).length > 0;
}
