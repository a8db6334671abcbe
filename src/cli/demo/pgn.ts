import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDirectory } from '../../base/directory.ts';

export interface PgnFile extends Disposable {
  write(games: readonly string[]): void;
}

/** Opens the file before the games are played, so that a path that cannot be written is known at once. */
export function openPgn(path: string): PgnFile {
  makeFolder(dirname(path));
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

// Who comes first makes `.simul`: as the embedded broker does, it is for its owner alone, and nothing for git.
function makeFolder(path: string): void {
  const own = basename(path) === '.simul';
  const made = makeDirectory(path, own ? 0o700 : 0o777);
  if (own && made !== undefined) writeFileSync(join(path, '.gitignore'), '*\n');
}
