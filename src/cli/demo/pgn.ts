import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../../base/directory.ts';

export interface PgnFile extends Disposable {
  write(games: readonly string[]): void;
}

/** Opens the file before the games are played, so that a path that cannot be written is known at once. */
export function openPgn(path: string): PgnFile {
  makeDirectory(dirname(path));
  // Emptied only when there is something to put in: an interrupted run leaves the games of the one before.
  const fd = openSync(path, 'a');
  return {
    write: (games) => {
      ftruncateSync(fd);
      writeSync(fd, `${games.join('\n\n')}\n`);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}
