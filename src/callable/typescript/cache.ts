import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../base/directory.ts';
import { fileURLToPath } from 'node:url';

const folders = new Map<string, string>();

/**
 * Where twins of a file are kept: `node_modules/.cache/simul` of the nearest package that has such a folder and lets us
 * write, else a directory of this user's below the temporary one.
 */
export function cacheFolder(path: string): string {
  const from = dirname(path);
  let folder = folders.get(from);
  if (folder === undefined) {
    folder = packageCache(from) ?? privateCache();
    folders.set(from, folder);
  }
  return folder;
}

/** A cached text, or undefined. */
export function readCached(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Writes so that other processes see the whole file or none: they may be writing the same one. */
export function writeCached(file: string | URL, text: string): void {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function packageCache(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    if (isDirectory(join(at, 'node_modules'))) return writable(join(at, 'node_modules', '.cache', 'simul'));
    if (at === dirname(at)) return undefined;
  }
}

function writable(folder: string): string | undefined {
  try {
    makeDirectory(folder);
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return undefined;
  }
}

// The name can be guessed, and what lies in it is executed: it is used only if it is a directory that is ours alone.
function privateCache(): string {
  const { uid, username } = userInfo();
  const folder = join(tmpdir(), `simul-${uid < 0 ? username : uid}`);
  try {
    makeDirectory(folder, 0o700);
    const found = lstatSync(folder);
    const ours = process.platform === 'win32' || (found.uid === uid && (found.mode & 0o077) === 0);
    if (found.isDirectory() && ours) return folder;
  } catch {
    // Fall through: somebody else holds the name.
  }
  return mkdtempSync(join(tmpdir(), 'simul-'));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
