import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
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

/** Seconds without a change after which files count as written: a certificate and its key come one after the other. */
const quiet = 0.1;

/** Calls `reload` when one of the files has changed, until it is disposed of or the signal aborts. */
export function watchFiles(files: readonly string[], reload: () => void, options: WatchOptions): Disposable {
  const { onReload, onError, signal } = options;
  if (files.length === 0) throw new InvalidStateError('the context was not made of files: there is nothing to watch');
  throwIfAborted(signal);
  let timer: ClockTimer | undefined;
  const act = (): void => {
    try {
      reload();
    } catch (error) {
      onError?.(error as Error);
      return;
    }
    onReload?.();
  };
  const changed = (): void => {
    timer?.cancel();
    timer = realClock.setTimer(quiet, act).unref();
  };
  const watchers: FSWatcher[] = [];
  const close = (): void => {
    forget();
    timer?.cancel();
    for (const watcher of watchers) watcher.close();
  };
  const forget = onAbort(signal, close);
  // The folders, not the files: certificates are replaced by rename, or by a link beside them (Kubernetes' secrets).
  for (const folder of new Set(files.map((file) => dirname(file)))) watchers.push(watched(folder, changed, onError));
  return { [Symbol.dispose]: close };
}

function watched(folder: string, changed: () => void, onError: WatchOptions['onError']): FSWatcher {
  try {
    return watch(folder, { persistent: false }, changed).on('error', (error) => onError?.(error));
  } catch (error) {
    const { code = 'EIO', errno = 5 } = error as NodeJS.ErrnoException;
    throw new SystemError(code, Math.abs(errno), 'inotify_add_watch', { path: folder, cause: error });
  }
}
