import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isInUse } from './processes.ts';

/** The named shared segments of this project, by path. */
export function sharedSegments(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder).flatMap((name) => (/simul/i.test(name) ? join(folder, name) : [])));
  } catch {
    return new Set();
  }
}

/**
 * Segments that appeared since and that no process holds (another run of the tests may hold some at this moment); each
 * with the files that ran when it was made.
 */
export function leftSegments(
  folder: string,
  before: ReadonlySet<string>,
  files: readonly { readonly name: string; readonly started: number; readonly seconds: number }[],
): string[] {
  const left = [...sharedSegments(folder)].filter((path) => !before.has(path) && !isInUse(path));
  return left.map((path) => {
    const made = statSync(path, { throwIfNoEntry: false })?.birthtimeMs ?? Number.NaN;
    // File systems keep coarser time than we do.
    const running = files.filter(({ started, seconds }) => made >= started - 20 && made <= started + seconds * 1000);
    return `left a shared segment: ${path} (made while ${running.map(({ name }) => name).join(', ') || 'none'} ran)`;
  });
}
