import type { Waiting } from './scope.ts';
import { currentScope } from './scope.ts';

/**
 * Notes in the current task that it waits for something of the layers above: a descriptor, a program, a lock of several
 * threads. It shows in the task tree, keeps the run from being taken for a deadlock and a virtual clock from jumping at
 * once; it is cancelled through its signal. Returns what ends the note.
 */
export function enterOutside(what: string): () => void {
  const scope = currentScope();
  if (scope === undefined) return () => {};
  const { clock } = scope.kernel;
  const note = new Note(what);
  scope.enter(note);
  clock.outside?.(1);
  return () => {
    scope.leave(note);
    clock.outside?.(-1);
  };
}

class Note implements Waiting {
  readonly what: string;
  readonly external = true;
  previous: Waiting | undefined = undefined;
  next: Waiting | undefined = undefined;

  constructor(what: string) {
    this.what = what;
  }

  /** It hears of it by its signal. */
  cancel(): boolean {
    return false;
  }

  leaveBehind(): void {}
}
