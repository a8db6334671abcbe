import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { sourceFiles } from './tree.ts';

export interface LayerRules {
  readonly root: string;
  /** Lowest first; folders that share a row may not import each other. */
  readonly layers: readonly (readonly string[])[];
  /** Folders that no other folder of the root may import. */
  readonly noImportFromSrc: readonly string[];
}

/** Every import that points upward or sideways, leaves its target unknown, or closes a cycle; one line each. */
export function layerFaults(repository: string, rules: LayerRules): string[] {
  const root = resolve(repository, rules.root);
  const level = new Map(rules.layers.flatMap((row, index) => row.map((folder) => [folder, index] as const)));
  const graph = new Map<string, string[]>();
  const faults: string[] = [];
  for (const file of sourceFiles(root)) {
    const targets = importsOf(file).map((specifier) => resolve(dirname(file), specifier));
    graph.set(
      file,
      importsOf(file, 'loaded').map((specifier) => resolve(dirname(file), specifier)),
    );
    for (const target of targets) faults.push(...judge(root, file, target, level, rules));
  }
  return [...faults, ...cycles(graph).map((cycle) => `cycle: ${cycle.map((f) => relative(root, f)).join(' -> ')}`)];
}

function judge(
  root: string,
  file: string,
  target: string,
  level: ReadonlyMap<string, number>,
  rules: LayerRules,
): string[] {
  const line = `${relative(root, file)} imports ${relative(root, target)}`;
  if (!existsSync(target)) return [`${line}, which does not exist`];
  const from = folderOf(root, file);
  const to = folderOf(root, target);
  if (from === to) return [];
  const below = level.get(to);
  const above = level.get(from);
  if (above === undefined) return [`${line}: the folder "${from}" is not in layers.json`];
  if (below === undefined) return [`${line}: the folder "${to}" is not in layers.json`];
  if (rules.noImportFromSrc.includes(to) && from !== 'entry') return [`${line}: nothing may import "${to}"`];
  return below < above ? [] : [`${line}: ${below === above ? 'sideways' : 'upward'}`];
}

function folderOf(root: string, file: string): string {
  return relative(root, file).split(sep)[0]!;
}

/**
 * Relative specifiers of a file: static, type-only, re-exported and dynamic ones, and with `all` those of URLs too: the
 * program of a thread or a process, which depends on us without being loaded into us. Text in comments does not count.
 */
export function importsOf(file: string, which: 'all' | 'loaded' = 'all'): string[] {
  const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const loaded = /(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)'/g;
  const named = /new URL\(\s*'(\.{1,2}\/[^']+)'/g;
  const found = [...code.matchAll(loaded), ...(which === 'all' ? code.matchAll(named) : [])];
  return found.map((match) => match[1]!.replace(/\.js$/, '.ts'));
}

/** Each cycle once, as the path that closes it. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (node: string): void => {
    state.set(node, 'open');
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (state.get(next) === 'open') found.push([...path.slice(path.indexOf(next)), next]);
      else if (!state.has(next) && graph.has(next)) visit(next);
    }
    path.pop();
    state.set(node, 'done');
  };
  for (const node of graph.keys()) if (!state.has(node)) visit(node);
  return found;
}
