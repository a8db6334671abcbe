import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { sourceFiles } from '../tree.ts';

/** What `test/suites.json` says of a folder or a single file; the longest name that fits counts. */
export interface SuiteRule {
  /** `required` must run everywhere; `capability` runs where what it needs can be had. */
  readonly kind: 'required' | 'capability';
  /** Names that `tools/needs.ts` can provide. */
  readonly needs?: readonly string[];
  /** Nothing else runs beside it. */
  readonly alone?: boolean;
  /** Runs on one Node version only. */
  readonly long?: boolean;
  /** Seconds a file of it may take, if more than the default. */
  readonly deadline?: number;
}

export type SuiteRules = Readonly<Record<string, SuiteRule>>;

export interface PlannedFile {
  /** As people name it: `base/heap`. */
  readonly name: string;
  readonly path: string;
  readonly suite: string;
  readonly rule: SuiteRule;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** Listed as required, asked for, and without a file. */
  readonly missing: readonly string[];
}

/**
 * The test files below `root` that fit any of the filters (a part of the name), each with its suite's rule. With
 * `sources`, a compiled file whose source is gone is left out: the compiler does not remove it.
 */
export function planSuites(root: string, rules: SuiteRules, filters: readonly string[], sources?: string): Plan {
  const fits = (name: string): boolean => filters.length === 0 || filters.some((filter) => name.includes(filter));
  const all = sourceFiles(root, '.test.js')
    .map((path) => planFile(root, path, rules))
    .filter(({ name }) => !name.startsWith('fixtures/'))
    .filter(({ name }) => sources === undefined || existsSync(resolve(sources, `${name}.test.ts`)));
  const missing = Object.entries(rules).flatMap(([suite, { kind }]) =>
    kind === 'required' && filters.length === 0 && !all.some((file) => covers(suite, file.name)) ? suite : [],
  );
  return { files: all.filter(({ name }) => fits(name)), missing };
}

function planFile(root: string, path: string, rules: SuiteRules): PlannedFile {
  const name = relative(root, path)
    .split(sep)
    .join('/')
    .replace(/\.test\.js$/, '');
  const longest = Object.keys(rules)
    .filter((key) => covers(key, name))
    .sort((a, b) => b.length - a.length)[0];
  const rule: SuiteRule = longest === undefined ? { kind: 'required' } : rules[longest]!;
  return { name, path, suite: longest ?? name.split('/')[0]!, rule };
}

function covers(suite: string, name: string): boolean {
  return name === suite || name.startsWith(`${suite}/`);
}

export function readRules(repository: string): SuiteRules {
  return JSON.parse(readFileSync(resolve(repository, 'test/suites.json'), 'utf8')) as SuiteRules;
}
