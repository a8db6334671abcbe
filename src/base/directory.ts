import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those missing above it; returns the topmost it made, or undefined if the directory was there.
 * Node's own `recursive` never returns where the kernel answers ENOENT below a parent that exists, as in /proc
 * (https://github.com/nodejs/node/issues/31481).
 */
export function makeDirectory(path: string, mode = 0o777): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    if (isDirectory(path)) return undefined;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const top = makeDirectory(dirname(path), mode);
  return makeLast(path, mode) ? (top ?? path) : top;
}

/** False if somebody else was faster. */
function makeLast(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (isDirectory(path)) return false;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
