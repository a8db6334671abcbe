import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { sourceFiles } from '../tree.ts';

/** Subpaths of the published package and the compiled file of each, from package.json. */
export function subpaths(repository: string): ReadonlyMap<string, string> {
  const { exports } = JSON.parse(readFileSync(resolve(repository, 'package.json'), 'utf8')) as {
    exports: Record<string, string>;
  };
  return new Map(Object.entries(exports).filter(([subpath]) => subpath !== './package.json'));
}

/** Subpaths without their file of `src/entry`, and files there that are no subpath. */
export function exportFaults(repository: string): string[] {
  const map = subpaths(repository);
  const unknown = [...map].flatMap(([subpath, target]) => {
    const expected = `./dist/src/entry/${subpath === '.' ? 'index' : subpath.slice(2)}.js`;
    if (target !== expected) return [`package.json: "${subpath}" is ${target}, expected ${expected}`];
    const source = target.replace('./dist/', '').replace(/\.js$/, '.ts');
    return existsSync(resolve(repository, source)) ? [] : [`package.json: "${subpath}" has no ${source}`];
  });
  const targets = new Set(map.values());
  const closed = sourceFiles(resolve(repository, 'src/entry'))
    .map((file) => relative(repository, file))
    .filter((file) => !targets.has(`./dist/${file.replace(/\.ts$/, '.js')}`));
  return [...unknown, ...closed.map((file) => `${file} is no subpath of package.json`)];
}

/** Public declarations that have no doc comment. */
export function undocumented(repository: string): string[] {
  const faults = new Set<string>();
  for (const entry of sourceFiles(resolve(repository, 'src/entry'))) {
    for (const [file, names] of reexports(entry)) {
      for (const name of missingComments(file, names)) faults.add(`${relative(repository, file)}: ${name}`);
    }
  }
  return [...faults];
}

type Names = ReadonlySet<string> | 'all';

function reexports(entry: string): [string, Names][] {
  const code = readFileSync(entry, 'utf8');
  const found = code.matchAll(/export\s+(?:type\s+)?(\*|\{[^}]*\})\s*from\s*'(\.[^']+)'/g);
  return [...found].map(([, what, specifier]) => {
    const names =
      what === '*' ? 'all' : new Set([...what!.matchAll(/(\w+)(?:\s+as\s+\w+)?\s*[,}]/g)].map((m) => m[1]!));
    return [resolve(dirname(entry), specifier!), names];
  });
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type) (\w+)/;

function missingComments(file: string, names: Names): string[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const seen = new Set<string>();
  return lines.flatMap((line, index) => {
    const name = declaration.exec(line)?.[1];
    // Only the first of several overloads carries the comment.
    if (name === undefined || seen.has(name) || (names !== 'all' && !names.has(name))) return [];
    seen.add(name);
    return lines[index - 1]?.trimEnd().endsWith('*/') ? [] : [name];
  });
}
