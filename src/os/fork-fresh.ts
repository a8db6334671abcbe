/* oxlint-disable no-underscore-dangle -- Node's own names */
import { AsyncResource } from 'node:async_hooks';
import { constants } from 'node:os';
import { startFresh } from '../base/fresh-start.ts';
import { keepOwnExitHandlers } from './at-exit.ts';
import { dup2, pipe } from './descriptor.ts';
import { fork } from './fork.ts';
import type { HandleWalk } from './handles.ts';
import { prepareHandleWalk, UV_FS_EVENT, UV_NAMED_PIPE, UV_POLL, UV_TCP, UV_TTY, UV_UDP } from './handles.ts';
import { libc } from './libc.ts';
import { prepareToClearTimers } from './timers-of-node.ts';
import { uv } from './uv.ts';

/**
 * Forks as soon as the program comes back to its event loop, and gives the child's pid. The child has the parent's memory
 * and runs `child`, in no task and no context, and nothing else: of what the parent has under way (promises, timers, servers,
 * sockets, handlers of signals and of its end) it goes on with nothing. `before` runs in the parent right before the fork. From within a turn of the loop that could not be
 * had: the functions that are being run, or are due, would go on in the child.
 */
export function forkFresh(child: () => void, before: () => void = () => {}): Promise<number> {
  const { forget, isClosing } = (parts ??= prepareParts());
  return new Promise((resolve, reject) => {
    let turns = 0;
    let immediate = outside.runInAsyncScope(() => setImmediate(begin));
    function begin(): void {
      // Who waits for the end of a handle is called later in this turn: in the child too, if there is one by then.
      if (isClosing() && ++turns < mostTurns) {
        immediate = setImmediate(begin);
        return;
      }
      const others = immediatesAfter(immediate);
      // A signal for the child must not meet its parent's handler.
      const unblock = blockSignals();
      let pid: number;
      try {
        before();
        pid = fork();
      } catch (error) {
        unblock();
        return reject(error);
      }
      if (pid === 0) {
        for (const other of others) clearImmediate(other);
        forget();
      }
      unblock();
      if (pid === 0) child();
      else resolve(pid);
    }
  });
}

// Made where no task runs: what is started in it inherits the context of none.
const outside = new AsyncResource('SIMULFORK');
let parts: Parts | undefined;
// In a program that closes something in each of so many turns, a child may be called for it.
const mostTurns = 1000;

interface Parts {
  readonly forget: () => void;
  /** Whether a handle of the event loop is being closed. */
  readonly isClosing: () => boolean;
}

const SIG_SETMASK = 2;
const sigsetBytes = 128;

function blockSignals(): () => void {
  const mask = libc('int pthread_sigmask(int how, const void *set, void *old)');
  const before = Buffer.alloc(sigsetBytes);
  mask(SIG_SETMASK, Buffer.alloc(sigsetBytes, 0xff), before);
  return () => mask(SIG_SETMASK, before, null);
}

interface Linked {
  readonly _idleNext?: Linked | null;
  readonly _idlePrev?: Linked | null;
}

// Those of this turn are linked to ours, those for the next turn to one made now (lib/internal/timers.js).
function immediatesAfter(immediate: NodeJS.Immediate): NodeJS.Immediate[] {
  const found: Linked[] = [];
  for (let next = (immediate as Linked)._idleNext; next; next = next._idleNext) found.push(next);
  const last = setImmediate(() => {});
  for (let previous = (last as Linked)._idlePrev; previous; previous = previous._idlePrev) found.push(previous);
  clearImmediate(last);
  return found as NodeJS.Immediate[];
}

function prepareParts(): Parts {
  const clearTimers = prepareToClearTimers();
  const walk = prepareHandleWalk();
  const isClosing = uv('int uv_is_closing(uintptr_t handle)') as (handle: number) => number;
  const silence = prepareToSilence(walk, isClosing);
  return {
    forget: () => {
      clearTimers();
      silence();
      dropListeners();
      process.exitCode = undefined;
      startFresh();
    },
    isClosing: () => {
      let closing = false;
      walk((handle) => (closing ||= isClosing(handle) !== 0));
      return closing;
    },
  };
}

function dropListeners(): void {
  keepOwnExitHandlers();
  const events = ['beforeExit', 'message', 'disconnect', 'uncaughtException', 'unhandledRejection'];
  for (const event of [...events, ...Object.keys(constants.signals)]) process.removeAllListeners(event);
}

// A descriptor of the parent's loop becomes one on which nothing ever happens. Standard streams and terminals are only
// not read; what is polled, files without a stream of Node's, stays open for the child.
function prepareToSilence(walk: HandleWalk, isClosing: (handle: number) => number): () => void {
  const fileno = uv('int uv_fileno(uintptr_t handle, _Out_ int *fd)') as (handle: number, fd: number[]) => number;
  const stopReading = uv('int uv_read_stop(uintptr_t handle)');
  const stopPolling = uv('int uv_poll_stop(uintptr_t handle)');
  const stopWatching = uv('int uv_fs_event_stop(uintptr_t handle)');
  return () => {
    const [quiet] = pipe(); // its other end stays open
    walk((handle, type) => {
      if (isClosing(handle) !== 0) return;
      if (type === UV_POLL) return void stopPolling(handle);
      if (type === UV_FS_EVENT) return void stopWatching(handle);
      if (type !== UV_TCP && type !== UV_NAMED_PIPE && type !== UV_UDP && type !== UV_TTY) return;
      const fd = [-1];
      if (fileno(handle, fd) < 0) return;
      if (type === UV_TTY || fd[0]! <= 2) stopReading(handle);
      else dup2(quiet, fd[0]!, false);
    });
  };
}
