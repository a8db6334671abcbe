import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const found = new Map<string, string | undefined>();

/** The text of the nearest `tsconfig.json` above a file; what it `extends` is not followed. */
export function tsconfig(path: string): string | undefined {
  return nearest('tsconfig.json', dirname(path));
}

/** What the nearest package.json says of `.ts` and `.js` files; undefined if it leaves that to their syntax. */
export function packageType(path: string): 'module' | 'commonjs' | undefined {
  const text = nearest('package.json', dirname(path));
  if (text === undefined) return undefined;
  try {
    const { type } = JSON.parse(text) as { type?: unknown };
    return type === 'module' || type === 'commonjs' ? type : undefined;
  } catch {
    return undefined;
  }
}

function nearest(name: string, folder: string): string | undefined {
  const file = join(folder, name);
  if (!found.has(file)) found.set(file, read(file) ?? above(name, folder));
  return found.get(file);
}

function above(name: string, folder: string): string | undefined {
  const parent = dirname(folder);
  return parent === folder ? undefined : nearest(name, parent);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
