import { close, tryRead } from './descriptor.ts';
import { registerAtFork } from './at-fork.ts';
import { libc } from './libc.ts';
import { Poll, POLLIN } from './poll.ts';

export const IN_MODIFY = 0x2;
export const IN_CLOSE_WRITE = 0x8;
export const IN_OPEN = 0x20;
const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
// Watches of one path are one to the kernel: asking for all kinds each time spares the bookkeeping of masks.
const mask = IN_OPEN | IN_CLOSE_WRITE | IN_MODIFY;

/**
 * Calls back with the kind of event when a file is opened, written to, or closed by a writer; `undefined` where that is not to
 * be had (another platform, instances or watches used up, no such file). A thread has one instance for all, as a user may have 128.
 * inotify(7).
 */
export function watchFile(path: string, listener: (mask: number) => void): (() => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  const instance = (shared ??= Instance.open());
  return instance?.add(path, listener);
}

let shared: Instance | undefined;

class Instance {
  readonly #fd: number;
  readonly #poll: Poll;
  readonly #listeners = new Map<number, Set<(mask: number) => void>>();

  private constructor(fd: number) {
    this.#fd = fd;
    this.#poll = new Poll(fd, () => this.#dispatch()).unref();
    this.#poll.start(POLLIN);
  }

  static open(): Instance | undefined {
    const fd = libc('int inotify_init1(int flags)')(IN_NONBLOCK | IN_CLOEXEC);
    return fd < 0 ? undefined : new Instance(fd);
  }

  add(path: string, listener: (mask: number) => void): (() => void) | undefined {
    const watch = libc('int inotify_add_watch(int fd, str path, uint32_t mask)')(this.#fd, path, mask);
    if (watch < 0) {
      this.#closeIfIdle();
      return undefined;
    }
    const listeners = this.#listeners.get(watch) ?? new Set();
    this.#listeners.set(watch, listeners.add(listener));
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(watch);
      libc('int inotify_rm_watch(int fd, int watch)')(this.#fd, watch);
      this.#closeIfIdle();
    };
  }

  #closeIfIdle(): void {
    if (this.#listeners.size > 0 || shared !== this) return;
    shared = undefined;
    this.close();
  }

  close(): void {
    this.#poll.close();
    close(this.#fd);
  }

  #dispatch(): void {
    const events = tryRead(this.#fd, 65536) ?? Buffer.alloc(0);
    // struct inotify_event: watch, mask, cookie, length of the name that follows
    for (let at = 0; at + 16 <= events.length; at += 16 + events.readUInt32LE(at + 12)) {
      for (const listener of Array.from(this.#listeners.get(events.readInt32LE(at)) ?? []))
        listener(events.readUInt32LE(at + 4));
    }
  }
}

registerAtFork({
  // Parent and child would take each other's events from one queue.
  afterInChild: () => {
    shared?.close();
    shared = undefined;
  },
});
