import type { FSWatcher } from 'node:fs';
import { statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { onAbort } from '../base/abort.ts';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import { throwIfAborted } from '../base/deadline.ts';
import { InvalidStateError, SystemError } from '../base/errors.ts';

/** What is told of the files that are watched. */
export interface WatchOptions {
  /** Called after each reload that went well. */
  readonly onReload?: (() => void) | undefined;
  /** Called for each that did not; the certificates from before stay. */
  readonly onError?: ((error: Error) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Seconds from the first change to the look at the files: a certificate and its key come one after the other. */
const delay = 0.1;

/** Calls `reload` when one of the files has changed, until it is disposed of or the signal aborts. */
export function watchFiles(files: readonly string[], reload: () => void, options: WatchOptions): Disposable {
  if (files.length === 0) throw new InvalidStateError('the context was not made of files: there is nothing to watch');
  throwIfAborted(options.signal);
  const watching = new Watching(files, reload, options);
  const forget = onAbort(options.signal, () => watching.close());
  return {
    [Symbol.dispose]: () => {
      forget();
      watching.close();
    },
  };
}

class Watching {
  readonly #files: readonly string[];
  readonly #reload: () => void;
  readonly #options: WatchOptions;
  readonly #watchers: FSWatcher[] = [];
  #seen: string;
  #timer: ClockTimer | undefined;

  constructor(files: readonly string[], reload: () => void, options: WatchOptions) {
    this.#files = files;
    this.#reload = reload;
    this.#options = options;
    this.#seen = stateOf(files);
    // The folders, not the files: certificates are replaced by rename, or by a link beside them (Kubernetes' secrets).
    for (const folder of new Set(files.map((file) => dirname(file)))) this.#watch(folder);
  }

  close(): void {
    this.#timer?.cancel();
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed());
      this.#watchers.push(watcher.on('error', (error) => this.#options.onError?.(error)));
    } catch (error) {
      this.close();
      const { code = 'EIO', errno = 5 } = error as NodeJS.ErrnoException;
      throw new SystemError(code, Math.abs(errno), 'inotify_add_watch', { path: folder, cause: error });
    }
  }

  // Not put off by further changes: in a busy folder they need not end.
  #changed(): void {
    this.#timer ??= realClock.setTimer(delay, () => this.#look()).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const state = stateOf(this.#files);
    if (state === this.#seen) return;
    this.#seen = state;
    try {
      this.#reload();
    } catch (error) {
      this.#options.onError?.(error as Error);
      return;
    }
    this.#options.onReload?.();
  }
}

/** Which files these are now, so that what others do in their folder does not end the sessions of clients. */
function stateOf(files: readonly string[]): string {
  const states = files.map((file) => {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
    return [ino, size, mtimeMs, ctimeMs];
  });
  return JSON.stringify(states);
}
