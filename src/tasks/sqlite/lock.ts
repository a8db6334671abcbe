import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { TimeoutError } from '../../base/errors.ts';
import { hasLibc } from '../../os/libc.ts';
import { LOCK_EX, LOCK_SH, LOCK_UN, tryFlock } from '../../os/flock.ts';

/** Whether locks that the kernel frees can be had here. */
export function hasFlock(): boolean {
  return hasLibc();
}

/**
 * Lets one connection of all processes write or checkpoint at a time. SQLite has locks of its own, but waits for them in
 * long sleeps, and in versions before 3.51.3 a writer and a checkpoint that resets the WAL must never meet.
 */
export class WriteLock {
  readonly #fd: number | undefined;
  readonly #path: string;
  readonly #patience: number;

  constructor(path: string, patience = 10) {
    this.#path = path;
    this.#patience = patience;
    this.#fd = hasFlock() ? openSync(path, 'a', 0o600) : undefined;
  }

  /** Runs `fn` under the lock. Blocks its thread; TimeoutError when others hold the lock for too long. */
  with<T>(fn: () => T): T {
    if (this.#fd === undefined) return fn();
    if (!this.#acquire(this.#patience)) {
      throw new TimeoutError(`another process has held ${JSON.stringify(this.#path)} for ${this.#patience} s`);
    }
    try {
      return fn();
    } finally {
      tryFlock(this.#fd, LOCK_UN);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  // Not a blocking flock: a thread inside a native wait can neither be terminated nor let the process exit.
  #acquire(patience: number): boolean {
    if (tryFlock(this.#fd!, LOCK_EX)) return true;
    const end = performance.now() + patience * 1000;
    for (let pause = 0.05; performance.now() < end; pause = Math.min(pause * 1.5, 2)) {
      Atomics.wait(sleeper, 0, 0, pause);
      if (tryFlock(this.#fd!, LOCK_EX)) return true;
    }
    return false;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** A sign of life: a file locked for as long as the process that made it lives, whatever ends it. */
export class LifeLock {
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Undefined where there is no flock. */
  static take(path: string): LifeLock | undefined {
    if (!hasFlock()) return undefined;
    for (;;) {
      const fd = openSync(path, 'a', 0o600);
      // A sweeper may have found the file in the moment before it was locked, and removed it.
      if (tryFlock(fd, LOCK_EX) && statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) {
        return new LifeLock(path, fd);
      }
      closeSync(fd);
    }
  }

  release(): void {
    rmSync(this.path, { force: true });
    closeSync(this.#fd);
  }
}

/** Whether the one who made the lock file is gone. Of a file that is missing nothing is known: not dead. */
export function isDead(path: string): boolean {
  return withFile(path, (fd) => tryFlock(fd, LOCK_SH)) ?? false;
}

/** Removes a lock file whose maker is gone. */
export function sweepLock(path: string): void {
  withFile(path, (fd) => {
    if (tryFlock(fd, LOCK_EX)) rmSync(path, { force: true });
  });
}

function withFile<T>(path: string, fn: (fd: number) => T): T | undefined {
  if (!hasFlock()) return undefined;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return fn(fd);
  } finally {
    closeSync(fd);
  }
}
