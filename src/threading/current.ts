import { isMainThread, threadId } from 'node:worker_threads';
import { hasLibc } from '../os/libc.ts';
import { gettid } from '../ipc/robust-list.ts';

/** What a thread knows of itself. */
export interface ThreadIdentity {
  readonly name: string;
  readonly daemon: boolean;
  /** Node's number of the thread, 0 for the main thread. */
  readonly ident: number;
  /** Where the starter reads the kernel's number. */
  readonly native?: Int32Array;
}

/** A thread as others see it. */
export interface ThreadInfo {
  readonly name: string;
  readonly daemon: boolean;
  readonly ident: number | undefined;
  readonly nativeId: number | undefined;
  isAlive(): boolean;
}

let identity: ThreadIdentity = {
  name: isMainThread ? 'MainThread' : `Dummy-${threadId}`,
  daemon: false,
  ident: threadId,
};

const running = new Set<ThreadInfo>();

/**
 * The thread this code runs on. (threading.current_thread)
 *
 * @example
 * currentThread().name; // MainThread
 */
export function currentThread(): ThreadInfo {
  const { name, daemon, ident } = identity;
  return { name, daemon, ident, nativeId: nativeThreadId() || undefined, isAlive: () => true };
}

/**
 * This thread and those it has started that have not ended. (threading.enumerate)
 *
 * @example
 * enumerate().map(({ name }) => name);
 */
export function enumerate(): ThreadInfo[] {
  return [currentThread(), ...running];
}

/**
 * The number of them. (threading.active_count)
 *
 * @example
 * activeCount(); // 1
 */
export function activeCount(): number {
  return running.size + 1;
}

/** @internal */
export function currentIdentity(): ThreadIdentity {
  return identity;
}

/** @internal Called first thing in a started thread. */
export function becomeThread(own: ThreadIdentity): void {
  identity = own;
}

/** @internal */
export function remember(thread: ThreadInfo): void {
  running.add(thread);
}

/** @internal */
export function forget(thread: ThreadInfo): void {
  running.delete(thread);
}

/** The kernel's number of this thread; 0 where it cannot be had. */
export function nativeThreadId(): number {
  return process.platform === 'linux' && hasLibc() ? gettid() : 0;
}
