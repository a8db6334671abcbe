import { readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Waits until a file exists and is not empty: a signal from a process that has no other way to give one. */
export async function fileWithText(path: string): Promise<string> {
  const watcher = watch(dirname(path));
  try {
    return await new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const text = read(path);
        if (text !== '') resolve(text);
      };
      watcher.on('change', (_, name) => {
        if (name === null || name === basename(path)) look();
      });
      watcher.on('error', reject);
      look();
    });
  } finally {
    watcher.close();
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
