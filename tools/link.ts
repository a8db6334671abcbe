// After a build: the command is executable, and `npx simul` finds it in this very checkout.
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const main = resolve(root, 'dist/src/cli/main.js');

if (existsSync(main)) {
  chmodSync(main, 0o755);
  const bin = resolve(root, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  relink(resolve(bin, 'simul'), '../../dist/src/cli/main.js');
}

function relink(path: string, target: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path);
  symlinkSync(target, path);
}
