import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../..');

/** Every `.ts` file below a folder, sorted; none if the folder does not exist. */
export function sourceFiles(folder: string, ending = '.ts'): string[] {
  return entries(folder)
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourceFiles(path, ending);
      return entry.name.endsWith(ending) && !entry.name.endsWith('.d.ts') ? [path] : [];
    })
    .sort();
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
