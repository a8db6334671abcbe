import type { FSWatcher } from 'node:fs';
import { closeSync, constants, openSync, watch, writeSync } from 'node:fs';

/**
 * A bell between processes: whoever has committed something writes a byte into a file, and those who watch the file
 * (inotify, kqueue) look. Measured at 12 µs; a ring may be missed, so listeners also look once a second.
 */
export class Bell {
  readonly #path: string;
  readonly #fd: number;
  #watcher: FSWatcher | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  }

  ring(): void {
    try {
      writeSync(this.#fd, 'x', 0);
    } catch {
      // A full disk must not fail what is committed; the others look within a second.
    }
  }

  /** False where the system has no watches left (max_user_instances): look more often then. */
  listen(heard: () => void): boolean {
    try {
      this.#watcher ??= watch(this.#path, heard).on('error', () => this.deafen());
      return true;
    } catch {
      return false;
    }
  }

  deafen(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  close(): void {
    this.deafen();
    closeSync(this.#fd);
  }
}
