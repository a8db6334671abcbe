import { AsyncResource } from 'node:async_hooks';
import { getSystemErrorName } from 'node:util';
import { setImmediate } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { checkSeconds } from '../base/deadline.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { realClock } from '../base/clock.ts';
import { endingSignals, onAnyAbort, throwIfAnyAborted, withinTask } from '../base/ending-signals.ts';
import { ClosedError, InvalidArgumentError, SystemError, TimeoutError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { duplicate } from './duplicate.ts';
import { koffi, libc } from './libc.ts';
import { pollNow } from './poll-now.ts';
import type { NativeFunction } from './libc.ts';
import { currentIsolate, currentLoop, nodeBinary, uv } from './uv.ts';

/** Something can be read, or the other side is gone. */
export const POLLIN = 1;
/** Something can be written, or the other side is gone. */
export const POLLOUT = 2;
/** The other side hung up. */
export const POLLHUP = 4;
/** Exceptional data. */
export const POLLPRI = 8;

const UV_POLL = 8;
const UV_EEXIST = -17;
// uv_handle_t.flags behind data, loop, type, close_cb, two queue pointers, four reserved words and next_closing: the
// layout is part of libuv's ABI since 1.0.
const flagsOffset = 88;
const UV_HANDLE_INTERNAL = 0x10;

/**
 * Waits once for a descriptor to become ready and tells for what (`POLLIN`, `POLLOUT`, …, or-ed). For eventfds,
 * pidfds, inotify, FIFOs, datagram and listening sockets; regular files are refused by the kernel (EPERM). Makes the
 * descriptor non-blocking. Rejects with TimeoutError, or CancelledError when `signal` is aborted; the loop is kept
 * alive meanwhile. Closing the descriptor (`close`, `dup2`) rejects it with ClosedError. See poll(2) and libuv's uv_poll_t.
 *
 * @example
 * await poll(fd, POLLIN, { timeout: 5 });
 */
export function poll(fd: number, events: number, options: WaitOptions = {}): Promise<number> {
  return withinTask(() => readiness(fd, events, options), `readiness of fd ${fd}`);
}

/** As `poll`, as a step of a call that is itself `withinTask`. */
export async function readiness(fd: number, events: number, options: WaitOptions = {}): Promise<number> {
  checkOptions(options);
  const { timeout } = options;
  checkEvents(events);
  const signals = endingSignals(options.signal);
  throwIfAnyAborted(signals);
  if (timeout !== undefined) checkSeconds('timeout', timeout);
  return new Promise<number>((resolve, reject) => {
    const finish = (settle: () => void) => {
      watch.close();
      timer?.cancel();
      forget();
      settle();
    };
    const watch = new Poll(
      fd,
      (ready) => finish(() => resolve(ready)),
      (error) => finish(() => reject(error)),
    );
    const forget = onAnyAbort(signals, (error) => finish(() => reject(error)));
    const late = () => reject(new TimeoutError(`poll of fd ${fd} timed out after ${timeout} s`, { timeout }));
    const timer =
      timeout === undefined || timeout === Infinity || timeout === 0
        ? undefined
        : realClock.setTimer(timeout, () => finish(late));
    try {
      watch.start(events);
      // Who only looks must not depend on whether the loop comes to timers or to descriptors first.
      if (timeout !== 0) return;
      const ready = pollNow(fd, events);
      finish(() => (ready > 0 ? resolve(ready) : late()));
    } catch (error) {
      finish(() => reject(error));
    }
  });
}

/**
 * Watches the readiness of any descriptor on this thread's event loop, level-triggered, until closed. Works on the main
 * thread and in workers. The listener runs as a loop callback of its own, with microtasks and ticks after it.
 * A failed descriptor counts as ready for everything asked: the read or write that follows has the error.
 *
 * @example
 * using watch = new Poll(fd, () => drain(fd));
 * watch.start(POLLIN);
 */
export class Poll implements Disposable {
  readonly fd: number;
  readonly #listener: (events: number) => void;
  readonly #onClosed: ((error: ClosedError) => void) | undefined;
  readonly #resource = new AsyncResource('SIMULPOLL');
  readonly #own: number | undefined;
  #handle: number | undefined;
  #events = 0;

  /** `onClosed` hears of a descriptor that is closed while it is watched. */
  constructor(fd: number, listener: (events: number) => void, onClosed?: (error: ClosedError) => void) {
    if (!Number.isInteger(fd) || fd < 0) throw new InvalidArgumentError('fd', fd, 'an open file descriptor');
    this.fd = fd;
    this.#listener = listener;
    this.#onClosed = onClosed;
    const handle = newHandle();
    let result = native().init(currentLoop(), handle, fd);
    if (result === UV_EEXIST) {
      // libuv watches a descriptor for one handle only (a socket's, or another Poll): a duplicate is as good.
      this.#own = duplicate(fd);
      result = native().init(currentLoop(), handle, this.#own);
    }
    if (result < 0) {
      this.#releaseOwn();
      freeHandle(handle);
      throw new SystemError(getSystemErrorName(result), -result, 'uv_poll_init', { fd, message: 'cannot be polled' });
    }
    this.#handle = handle;
    native().adopt(handle);
    polls.set(handle, this);
    const others = watched.get(fd);
    if (others === undefined) watched.set(fd, new Set([this]));
    else others.add(this);
  }

  /** Begins, or changes what is watched for. */
  start(events: number): this {
    if (this.#handle === undefined) throw new ClosedError(`poll of fd ${this.fd} is closed`);
    this.#events = checkEvents(events);
    const result = native().start(this.#handle, events);
    if (result < 0)
      throw new SystemError(getSystemErrorName(result), -result, 'uv_poll_start', {
        fd: this.fd,
        message: 'cannot be polled',
      });
    return this;
  }

  /** Watches no more; `start` begins again. */
  stop(): this {
    if (this.#handle !== undefined) native().stop(this.#handle);
    return this;
  }

  /** Keeps the event loop alive while it watches (the default). */
  ref(): this {
    if (this.#handle !== undefined) native().ref(this.#handle);
    return this;
  }

  /** Does not keep the event loop alive. */
  unref(): this {
    if (this.#handle !== undefined) native().unref(this.#handle);
    return this;
  }

  /** Ends the watch; the descriptor stays open. Idempotent. */
  close(): void {
    if (this.#handle === undefined) return;
    polls.delete(this.#handle);
    const all = watched.get(this.fd);
    if (all?.delete(this) && all.size === 0) watched.delete(this.fd);
    native().close(this.#handle);
    this.#handle = undefined;
    this.#releaseOwn();
    this.#resource.emitDestroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal The descriptor is about to be closed. */
  abandon(): void {
    this.close();
    this.#onClosed?.(new ClosedError(`fd ${this.fd} was closed while being waited for`));
  }

  /** @internal */
  notify(status: number, events: number): void {
    this.#resource.runInAsyncScope(this.#listener, undefined, status < 0 ? this.#events : events);
  }

  #releaseOwn(): void {
    if (this.#own !== undefined) libc('int close(int fd)')(this.#own);
  }
}

function checkEvents(events: number): number {
  if (Number.isInteger(events) && events >= 1 && events <= 15) return events;
  throw new InvalidArgumentError('events', events, 'POLLIN, POLLOUT, POLLHUP and POLLPRI, or-ed');
}

/**
 * Ends the watches of a descriptor that is about to be closed. Afterwards epoll could not be told any more: libuv
 * aborts the process then, or the next file of that number would be watched. @internal
 */
export function closePolls(fd: number): void {
  for (const poll of watched.get(fd) ?? []) poll.abandon();
  for (const listener of closing) listener(fd);
}

/** Calls `listener` for every descriptor that is about to be closed. @internal */
export function onClosing(listener: (fd: number) => void): void {
  closing.push(listener);
}

const closing: ((fd: number) => void)[] = [];

/**
 * Stops all watches of this thread without a word: for a forked child that goes on with something else than its parent, whose
 * waits would otherwise take from shared descriptors what is the parent's. @internal
 */
export function silencePolls(): void {
  for (const poll of polls.values()) poll.stop();
}

const polls = new Map<number, Poll>();
const watched = new Map<number, Set<Poll>>();
const spare: number[] = [];

interface Native {
  readonly init: NativeFunction;
  start(handle: number, events: number): number;
  readonly stop: NativeFunction;
  readonly ref: NativeFunction;
  readonly unref: NativeFunction;
  close(handle: number): void;
  adopt(handle: number): void;
}

let bound: Native | undefined;

function native(): Native {
  return (bound ??= bind());
}

function bind(): Native {
  const ffi = koffi();
  const pollProto = ffi.pointer(ffi.proto('void', ['uintptr_t', 'int', 'int']));
  const closeProto = ffi.pointer(ffi.proto('void', ['uintptr_t']));
  const start = nodeBinary().func('uv_poll_start', 'int', ['uintptr_t', 'int', pollProto]);
  const close = nodeBinary().func('uv_close', 'void', ['uintptr_t', closeProto]);
  const onPoll = ffi.register(dispatch, pollProto);
  const onClose = ffi.register(freeHandle, closeProto);
  const guard = isMainThread ? undefined : workerGuard();
  return {
    init: uv('int uv_poll_init(uintptr_t loop, uintptr_t handle, int fd)'),
    start: (handle, events) => start(handle, events, onPoll) as number,
    stop: uv('int uv_poll_stop(uintptr_t handle)'),
    ref: uv('void uv_ref(uintptr_t handle)'),
    unref: uv('void uv_unref(uintptr_t handle)'),
    close: (handle) => {
      guard?.remove(handle);
      close(handle, onClose);
    },
    adopt: (handle) => guard?.add(handle),
  };
}

function dispatch(handle: number, status: number, events: number): void {
  settleSoon();
  try {
    polls.get(handle)?.notify(status, events);
  } catch (error) {
    // An exception must not cross libuv's frames: it is thrown again where the program's own handlers see it.
    process.nextTick(() => {
      throw error;
    });
  }
}

// Node 26 runs ticks and promise jobs only behind JavaScript that it has called itself, which this is not: what was resolved here would
// stay pending until something else happens. Immediates are of the phase that follows this one.
function settleSoon(): void {
  setImmediate(nothing);
}

function nothing(): void {}

// A worker that ends with a foreign handle open aborts the whole process (CheckedUvLoopClose in node_worker.cc), and
// `terminate()` runs no JavaScript to close it. Marked internal, libuv tolerates it; and a native clean-up hook stops
// it first, so that no callback reaches a dead environment.
function workerGuard(): { add(handle: number): void; remove(handle: number): void } {
  const isolate = currentIsolate();
  const stop = libc('uintptr_t dlsym(uintptr_t library, str name)')(0, 'uv_poll_stop');
  const args = '(uintptr_t isolate, uintptr_t fn, uintptr_t arg)';
  const add = uv(`void _ZN4node25AddEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_${args}`);
  const remove = uv(`void _ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_${args}`);
  return {
    add: (handle) => {
      const flags = new DataView(koffi().view(BigInt(handle), flagsOffset + 4));
      flags.setUint32(flagsOffset, flags.getUint32(flagsOffset, true) | UV_HANDLE_INTERNAL, true);
      add(isolate, stop, handle);
    },
    remove: (handle) => remove(isolate, stop, handle),
  };
}

function newHandle(): number {
  return (
    spare.pop() ?? libc('uintptr_t calloc(size_t n, size_t size)')(1, uv('size_t uv_handle_size(int type)')(UV_POLL))
  );
}

function freeHandle(handle: number): void {
  if (spare.length < 256) spare.push(handle);
  else libc('void free(uintptr_t memory)')(handle);
}
