import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../bench');

/**
 * Loads a package that exists only to be measured against. Its name is resolved from `bench/`, whose packages the root
 * does not have, so its types are the caller's to state. Works in child processes too.
 */
export async function loadPeer<T>(name: string): Promise<T> {
  const beside = (await import(new URL('../../bench/load.mjs', import.meta.url).href)) as PeerLoader;
  return beside.load(name) as Promise<T>;
}

interface PeerLoader {
  load(name: string): Promise<unknown>;
}

/** Installs the peers from `bench/package-lock.json`, if the present installation is not of this lock. */
export function installPeers(names: readonly string[]): void {
  const missing = names.filter((name) => !(name in dependencies()));
  if (missing.length > 0) throw new Error(`bench/package.json does not list the peer ${missing.join(', ')}`);
  if (upToDate()) return;
  console.error(`installing the peers: npm ci --prefix bench`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync(npm, args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (done.status !== 0) throw new Error('the peers could not be installed; --no-peers measures without them');
}

/** The versions that are in the lock, for the settings column and the JSON. */
export function peerVersion(name: string): string {
  const lock = JSON.parse(readFileSync(resolve(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  return lock.packages[`node_modules/${name}`]?.version ?? 'unknown';
}

function dependencies(): Record<string, string> {
  const text = readFileSync(resolve(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {};
}

function upToDate(): boolean {
  const installed = resolve(folder, 'node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(resolve(folder, 'package-lock.json')).mtimeMs;
}
