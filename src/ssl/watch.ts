import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { onAbort } from '../base/abort.ts';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';

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
  // The folders, not the files: certificates are replaced by rename, or by a link beside them (Kubernetes' secrets).
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    const watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', (error) => onError?.(error));
    watchers.push(watcher);
  }
  const close = (): void => {
    forget();
    timer?.cancel();
    for (const watcher of watchers) watcher.close();
  };
  const forget = onAbort(signal, close);
  return { [Symbol.dispose]: close };
}
