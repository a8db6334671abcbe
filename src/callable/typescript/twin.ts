import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheFolder, writeCached } from './cache.ts';
import { commonjsTwin, fillSlots } from './run-time.ts';
import type { Target } from './resolution.ts';
import { resolveSpecifier } from './resolution.ts';
import type { Transformed } from './transform.ts';
import { transform } from './transform.ts';

interface Node {
  readonly path: string;
  readonly transformed: Transformed;
  /** One for each import of `transformed`. */
  readonly targets: readonly Target[];
}

// For the life of the thread, as in Node's own module cache: a module's first content is the one that counts.
const nodes = new Map<string, Promise<Node>>();
const twins = new Map<string, string>();

/** The file URL of the JavaScript twin of a TypeScript file, after writing it and those of all it imports. */
export async function twinUrl(path: string): Promise<string> {
  const known = twins.get(path);
  if (known !== undefined) return known;
  const reachable = await graphFrom(path);
  installRunTime();
  for (const node of reachable.values()) settle(node, reachable);
  for (const node of reachable.values()) write(node);
  return twins.get(path)!;
}

/** Whether this thread has imported the file, or has it ready, as a twin. */
export function hasTwin(path: string): boolean {
  return twins.has(path);
}

/** Makes the `import()` and `require` of twins work in this thread. */
export function installRunTime(): void {
  fillSlots(twinUrl);
}

async function graphFrom(path: string): Promise<Map<string, Node>> {
  const found = new Map<string, Node>();
  let next = [path];
  while (next.length > 0) {
    const level = await Promise.all(next.map(load));
    for (const node of level) found.set(node.path, node);
    next = [...new Set(level.flatMap(typescriptImports))].filter((path) => !found.has(path));
  }
  return found;
}

function load(path: string): Promise<Node> {
  let node = nodes.get(path);
  if (node === undefined) {
    node = read(path);
    nodes.set(path, node);
    // A failed file may be mended and imported again.
    node.catch(() => nodes.delete(path));
  }
  return node;
}

async function read(path: string): Promise<Node> {
  const transformed = await transform(path);
  const targets: Target[] = [];
  for (const { specifier } of transformed.imports) targets.push(await resolveSpecifier(specifier, path));
  return { path, transformed, targets };
}

function typescriptImports(node: Node): string[] {
  return node.targets.flatMap((target) => (target.kind === 'typescript' ? [target.path] : []));
}

// A twin carries the names of the twins it imports, and they carry theirs; with cycles no name can be a hash of the
// text. So it is a hash of all the inputs that can be reached from it.
function settle(node: Node, graph: ReadonlyMap<string, Node>): void {
  if (!twins.has(node.path)) twins.set(node.path, pathToFileURL(twinFile(node, graph)).href);
}

function twinFile(node: Node, graph: ReadonlyMap<string, Node>): string {
  if (node.transformed.commonjs) return commonjsTwin(node.path, node.transformed);
  const hash = createHash('sha256');
  for (const path of [...closure(node, graph)].sort()) hash.update(`${path}\0${graph.get(path)!.transformed.key}\0`);
  return join(cacheFolder(node.path), `${hash.update(node.path).digest('hex').slice(0, 40)}.mjs`);
}

function closure(start: Node, graph: ReadonlyMap<string, Node>): Set<string> {
  const seen = new Set([start.path]);
  for (const path of seen) for (const next of typescriptImports(graph.get(path)!)) seen.add(next);
  return seen;
}

function write(node: Node): void {
  const url = new URL(twins.get(node.path)!);
  if (!existsSync(url)) writeCached(url, linked(node));
}

// Columns of a line move with its specifiers; source maps are exact in lines, which is what a stack is read for.
function linked(node: Node): string {
  const { code, imports } = node.transformed;
  let text = '';
  let from = 0;
  for (const [index, { start, end }] of imports.entries()) {
    text += code.slice(from, start) + JSON.stringify(written(node.targets[index]!));
    from = end;
  }
  return text + code.slice(from);
}

function written(target: Target): string {
  return target.kind === 'typescript' ? twins.get(target.path)! : target.specifier;
}
