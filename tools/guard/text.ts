import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';

/** A tracked file of text, by its path inside the repository. */
export interface TrackedFile {
  readonly path: string;
  readonly text: string;
}

const textEndings = new Set(['.ts', '.js', '.mjs', '.cjs', '.json', '.md', '.py', '.sh', '.yaml', '.yml', '.html', '']);

/** What git tracks or would track, as text. */
export function trackedFiles(repository: string): TrackedFile[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  return list
    .split('\0')
    .filter((path) => path !== '' && textEndings.has(extname(path)))
    .flatMap((path) => {
      const text = read(resolve(repository, path));
      return text === undefined ? [] : [{ path, text }];
    });
}

// A file that was deleted but not yet staged is still listed.
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

// The bracketed letters keep these patterns from finding themselves.
const leftoverWord = /\b(?:TO[D]O|FIX[M]E|XX[X])\b/;
const leftoverCall = /\b(?:test|it|describe|suite)\.(?:onl[y]|ski[p])\(|^\s*debugge[r];/;

/** Notes to oneself, and tests that were switched off or singled out. */
export function leftovers(files: readonly TrackedFile[]): string[] {
  return find(files, (line) => leftoverWord.exec(line)?.[0] ?? leftoverCall.exec(line)?.[0]);
}

const machinePath = /(?:^|[\s"'`(=:])(\/(?:wor[k]|roo[t]|home\/\w+|Users\/\w+)\/\S*)/;

/** Absolute paths of somebody's machine. */
export function machinePaths(files: readonly TrackedFile[]): string[] {
  return find(files, (line) => machinePath.exec(line)?.[1]);
}

const registryHost = /registr[y]\.\w+\.(?:org|com)|pyp[i]\.org|deb\.debia[n]\.org|"resolve[d]": "http/;

/** Hosts of package registries: a lock file names versions and hashes, each machine its own registry. */
export function registryHosts(files: readonly TrackedFile[]): string[] {
  return find(files, (line) => registryHost.exec(line)?.[0]);
}

/** `any` in the sources; unlike the linter's rule it cannot be switched off by a comment. */
export function untyped(files: readonly TrackedFile[]): string[] {
  const sources = files.filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'));
  return find(sources, (line) => /(?::\s*|\bas\s+|<)any\b(?!')/.exec(withoutComment(line))?.[0]);
}

const rooms = /^(utils?|helpers?|common|types?|managers?|misc)$/;

/** Folders and files whose name says nothing of what is in them. */
export function namelessRooms(files: readonly TrackedFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter((path) => path.split('/').some((part) => rooms.test(basename(part).replace(/\..*$/, ''))));
}

/** Files of more than 400 lines of code, and the median of the sources if it is above 120. */
export function oversized(files: readonly TrackedFile[]): string[] {
  const code = files
    .filter(({ path }) => path.endsWith('.ts'))
    .map(({ path, text }) => ({ path, lines: linesOfCode(text) }));
  const sizes = code.filter(({ path }) => path.startsWith('src/')).map(({ lines }) => lines);
  const median = sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0;
  const large = code.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines} lines of code`);
  return median > 120 ? [...large, `the median file of src has ${median} lines of code`] : large;
}

function linesOfCode(text: string): number {
  const lines = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').split('\n');
  return lines.filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
}

function withoutComment(line: string): string {
  return /^\s*(\*|\/\*)/.test(line) ? '' : line.replace(/\/\/.*$/, '');
}

function find(files: readonly TrackedFile[], fault: (line: string) => string | undefined): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = fault(line);
      return found === undefined ? [] : [`${path}:${index + 1}: ${found.trim()}`];
    }),
  );
}
