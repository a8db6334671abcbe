import { constants } from 'node:os';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds, Deadline } from '../base/deadline.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { InvalidArgumentError, SystemError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { registerAtFork } from './at-fork.ts';
import { libc } from './libc.ts';
import { getpgid } from './process-ids.ts';
import { pidfdOpen } from './pidfd.ts';
import { peekEnded, reap, WCONTINUED, WNOHANG, WUNTRACED } from './reap.ts';

export { WCONTINUED, WNOHANG, WUNTRACED } from './reap.ts';

/** What wait calls answer: whose status, and the status for the `W…` macros. `[0, 0]`: nothing yet (WNOHANG). */
export type WaitResult = [pid: number, status: number];

const { ECHILD } = constants.errno;

// Only these are waited for: waitpid(-1) would take the exit statuses of Node's own children from it, and their
// `exit` events would never come.
const children = new Set<number>();
const waiters = new Set<Waiter>();

interface Waiter {
  readonly matches: (pid: number) => boolean;
  readonly options: number;
  readonly resolve: (result: WaitResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Waits for any child made by `fork` to end, reaps it, and gives `[pid, status]`. SystemError ECHILD if there is none;
 * TimeoutError, CancelledError. Children of Popen have waits of their own. wait(2).
 *
 * @example
 * const [pid, status] = await wait();
 */
export function wait(options: WaitOptions = {}): Promise<WaitResult> {
  return waitpid(-1, 0, options);
}

/**
 * Waits for a child made by `fork`: that one, any (-1), any of our process group (0) or of group -pid. `options`:
 * `WNOHANG` (at once; `[0, 0]` if none has ended), `WUNTRACED`, `WCONTINUED`. SystemError ECHILD if no child matches,
 * TimeoutError, CancelledError (nothing is reaped then). waitpid(2).
 *
 * @example
 * const [, status] = await waitpid(pid, 0, { timeout: 5 }); waitstatusToExitcode(status);
 */
export function waitpid(pid: number, options = 0, waitOptions: WaitOptions = {}): Promise<WaitResult> {
  return withinTask(
    () => statusOf(pid, options, waitOptions),
    pid > 0 ? `the end of process ${pid}` : 'the end of a child',
  );
}

async function statusOf(pid: number, options: number, waitOptions: WaitOptions): Promise<WaitResult> {
  checkOptions(waitOptions);
  const { timeout } = waitOptions;
  const signals = endingSignals(waitOptions.signal);
  throwIfAnyAborted(signals);
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  const matches = matcher(pid);
  const now = collect(matches, checkFlags(options));
  if (now !== undefined) return now;
  if (options & WNOHANG) return [0, 0];
  return new Promise<WaitResult>((resolve, reject) => {
    let timer: ClockTimer | undefined;
    const finish = () => {
      waiters.delete(waiter);
      timer?.cancel();
      forget();
      listen();
    };
    const waiter: Waiter = {
      matches,
      options,
      resolve: (result) => (finish(), resolve(result)),
      reject: (error) => (finish(), reject(error)),
    };
    const forget = onAnyAbort(signals, (error) => waiter.reject(error));
    // The timer also holds the event loop; signal handlers do not.
    timer = realClock.setTimer(timeout ?? Infinity, () =>
      waiter.reject(new TimeoutError(`waitpid(${pid}) timed out after ${timeout} s`, { timeout })),
    );
    waiters.add(waiter);
    listen();
    scan(); // a child may have ended before the handler was in place
  });
}

/** As `wait`, blocking this thread. */
export function waitSync(options: { timeout?: number } = {}): WaitResult {
  return waitpidSync(-1, 0, options);
}

/** As `waitpid`, blocking this thread; for programs that have nothing else to do meanwhile. */
export function waitpidSync(pid: number, options = 0, bounds: { timeout?: number } = {}): WaitResult {
  checkOptions(bounds);
  const { timeout } = bounds;
  const deadline = Deadline.after(timeout);
  const matches = matcher(pid);
  for (;;) {
    const result = collect(matches, checkFlags(options));
    if (result !== undefined) return result;
    if (options & WNOHANG) return [0, 0];
    if (deadline.passed) throw new TimeoutError(`waitpid(${pid}) timed out after ${timeout} s`, { timeout });
    sleepUntilExit(pid, options, deadline.left);
  }
}

/**
 * Calls `listener` with the status of a child made by `fork` once it has ended, and reaps it; `wait` does not cover it any more. For
 * many children at once: one that ends costs the same however many there are. Does not keep the program alive. @internal
 */
export function onceEnded(pid: number, listener: (status: number) => void): void {
  children.delete(pid);
  ends.set(pid, listener);
  listen();
  // It may have ended before the handler was in place, unnoticed.
  ended(pid, reap(pid, WNOHANG));
}

const ends = new Map<number, (status: number) => void>();

function collectEnds(): void {
  for (let pid = peekEnded(); pid !== 0; pid = peekEnded()) {
    // Somebody else's, who is about to reap it, hides those behind it.
    if (!ends.has(pid)) return collectEach();
    ended(pid, reap(pid, WNOHANG));
  }
}

function collectEach(): void {
  for (const pid of Array.from(ends.keys())) ended(pid, reap(pid, WNOHANG));
}

function ended(pid: number, status: number | undefined | 'gone'): void {
  if (status === undefined) return;
  const listener = ends.get(pid);
  ends.delete(pid);
  listen();
  // Nothing is known of one that was reaped by somebody else.
  listener?.(status === 'gone' ? 0 : status);
}

/** Notes a child of `fork`. */
export function adoptChild(pid: number): void {
  children.add(pid);
}

/** Takes a child out of what `wait` and `waitpid` cover: somebody else reaps it. */
export function disownChild(pid: number): void {
  children.delete(pid);
}

registerAtFork({
  afterInChild: () => {
    // They are siblings now, and the promises belong to the parent. Its listener stays until somebody waits: to take it away is
    // much work for a short life.
    children.clear();
    waiters.clear();
    ends.clear();
    inherited = listening;
  },
});

// The status of the first matching child that has one; throws ECHILD when none matches.
function collect(matches: (pid: number) => boolean, options: number): WaitResult | undefined {
  let any = false;
  for (const pid of children) {
    if (!matches(pid)) continue;
    const status = reap(pid, options | WNOHANG);
    if (status === 'gone') {
      children.delete(pid);
      continue;
    }
    any = true;
    if (status === undefined) continue;
    const ended = (status & 0xff) !== 0x7f && status !== 0xffff;
    if (ended) children.delete(pid);
    return [pid, status];
  }
  if (any) return undefined;
  throw new SystemError('ECHILD', ECHILD, 'waitpid', { message: 'no such child made by fork' });
}

function scan(): void {
  if (ends.size > 0) collectEnds();
  for (const waiter of waiters) {
    try {
      const result = collect(waiter.matches, waiter.options);
      if (result !== undefined) waiter.resolve(result);
    } catch (error) {
      waiter.reject(error);
    }
  }
}

let listening = false;
let inherited = false;

// SIGCHLD tells of every change, stops included, which a pidfd does not; and costs no descriptor per child.
function listen(): void {
  const wanted = waiters.size > 0 || ends.size > 0;
  if (inherited && wanted) {
    process.removeListener('SIGCHLD', scan);
    inherited = listening = false;
  }
  if (wanted === listening) return;
  listening = wanted;
  if (wanted) process.on('SIGCHLD', scan);
  else process.removeListener('SIGCHLD', scan);
}

// A bounded sleep on the one child's pidfd, or a short one where any may end, or stop.
function sleepUntilExit(pid: number, options: number, left: number): void {
  const poll = libc('int poll(void *fds, unsigned long count, int timeout)');
  const exact = pid > 0 && (options & (WUNTRACED | WCONTINUED)) === 0;
  if (!exact) {
    poll(null, 0, Math.min(2, Math.ceil(left * 1000)));
    return;
  }
  const pidfd = pidfdOpen(pid);
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(pidfd, 0);
  entry.writeInt16LE(1, 4);
  poll(entry, 1, Math.min(1000, Math.ceil(left * 1000)));
  libc('int close(int fd)')(pidfd);
}

function matcher(pid: number): (child: number) => boolean {
  if (!Number.isInteger(pid)) throw new InvalidArgumentError('pid', pid, 'a process id, -1, 0 or a negative group id');
  if (pid > 0) return (child) => child === pid;
  if (pid === -1) return () => true;
  const group = pid === 0 ? getpgid() : -pid;
  return (child) => getpgid(child) === group;
}

function checkFlags(options: number): number {
  if (Number.isInteger(options) && (options & ~(WNOHANG | WUNTRACED | WCONTINUED)) === 0) return options;
  throw new InvalidArgumentError('options', options, 'WNOHANG, WUNTRACED and WCONTINUED, or-ed');
}
