import type { WaitOptions } from '../base/deadline.ts';
import { withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import { registerAtFork } from './at-fork.ts';
import { close } from './descriptor.ts';
import { checked, libc } from './libc.ts';
import { signalNumber } from './process-ids.ts';
import { Poll, POLLIN, readiness } from './poll.ts';

// The same numbers on every Linux architecture; older C libraries have no wrappers for them.
const SYS_pidfd_open = 434;
const SYS_pidfd_send_signal = 424;

/**
 * A descriptor for a process, readable when it has ended; unlike a pid it never means another process. Close it when
 * done. ESRCH if there is no such process. Linux 5.3 or newer. pidfd_open(2).
 *
 * @example
 * const fd = pidfdOpen(pid); await poll(fd, POLLIN); close(fd);
 */
export function pidfdOpen(pid: number): number {
  if (process.platform !== 'linux') throw new UnsupportedError('pidfds exist on Linux only');
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff)
    throw new InvalidArgumentError('pid', pid, 'a process id above 0');
  return checked(syscall()(SYS_pidfd_open, pid, 0, 0, 0), 'pidfd_open');
}

/** Sends a signal to exactly that process, never to a later one with its pid. pidfd_send_signal(2). */
export function pidfdSendSignal(pidfd: number, signal: number | NodeJS.Signals): void {
  checked(syscall()(SYS_pidfd_send_signal, pidfd, signalNumber(signal), 0, 0), 'pidfd_send_signal', { fd: pidfd });
}

/** Settles when a process, related or not, has ended; at once if it is gone. Does not reap. */
export function processExit(pid: number, options: WaitOptions = {}): Promise<void> {
  return withinTask(() => exitOf(pid, options), `the end of process ${pid}`);
}

async function exitOf(pid: number, options: WaitOptions): Promise<void> {
  let fd: number;
  try {
    fd = pidfdOpen(pid);
  } catch (error) {
    if ((error as { code?: string }).code === 'ESRCH') return;
    throw error;
  }
  try {
    await readiness(fd, POLLIN, options);
  } finally {
    close(fd);
  }
}

/** Calls back once, when the process of a pidfd has ended. Owns the pidfd from the start, also when that fails; `close` gives up watching. */
export class ExitWatch implements Disposable {
  readonly #fd: number;
  readonly #poll: Poll;
  #open = true;

  constructor(pidfd: number, onExit: () => void) {
    this.#fd = pidfd;
    try {
      this.#poll = new Poll(this.#fd, () => {
        this.close();
        onExit();
      });
    } catch (error) {
      close(this.#fd);
      throw error;
    }
    this.#poll.start(POLLIN);
    watches.add(this);
  }

  ref(): void {
    this.#poll.ref();
  }

  unref(): void {
    this.#poll.unref();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    watches.delete(this);
    this.#poll.close();
    close(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

// What a forked child inherits are its parent's children, which it can neither reap nor answer for.
const watches = new Set<ExitWatch>();
registerAtFork({
  afterInChild: () => {
    for (const watch of watches) watch.close();
  },
});

function syscall() {
  return libc('long syscall(long number, long a, long b, long c, long d)');
}
