import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { atExit } from '../os/at-exit.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { koffi, libc } from '../os/libc.ts';
import { LOOK_AGAIN } from './region.ts';

/** The word that ends a native wait of this thread. */
export interface Interruption {
  readonly address: number;
  readonly stopping: () => boolean;
  /** Never returns once this thread is to end: it must not go on as if it had been woken. */
  readonly stopIfAsked: () => void;
}

const key = 'simul.ipc.interrupt';
const sliceSeconds = 0.05;
const PROT_READ_WRITE = 3;
const MAP_SHARED_ANONYMOUS = 0x21;
const pageBytes = 4096;
// One word a thread to stop it, and one for a descriptor that must not outlive it.
const slots = pageBytes / 8;

/**
 * The interruption of this thread. One page of words for the process, one a thread, is made by the main thread and handed down
 * to its workers; `process.exit()`, the natural end and `worker.terminate()` set and wake them. Where the main thread
 * has not loaded this module a worker has a page of its own and looks up in short slices instead.
 */
export function interruption(): Interruption {
  return (current ??= prepare());
}

/** Where the page of this process lies, for threads that were started before there was one. */
export function interruptPage(): number {
  return openPage().address;
}

/** Uses the page that the main thread watches over, told by an object that came from there. */
export function adoptInterruptPage(address: number): void {
  if (isMainThread || page?.address === address) return;
  page = viewPage(address);
  current = undefined;
  watchedOver = true;
}

/** Has a descriptor of this thread closed when the thread has ended, terminated too: it then runs nothing itself. */
export function closeWithThread(fd: number): void {
  if (isMainThread) return;
  Atomics.store(openPage().words, slots + (threadId % slots), fd);
  process.once('exit', () => closeOf(threadId % slots));
}

let current: Interruption | undefined;
let page: { address: number; words: Int32Array } | undefined;
// Whether somebody sets this thread's word when it is to end.
let watchedOver = false;

function prepare(): Interruption {
  const { address, words } = openPage();
  const index = threadId % slots;
  const own = address + index * 4;
  const stopping = () => Atomics.load(words, index) !== 0;
  return { address: own, stopping, stopIfAsked: () => (stopping() ? sleepUntilEnded() : undefined) };
}

function openPage(): { address: number; words: Int32Array } {
  if (page !== undefined) return page;
  const known = getEnvironmentData(key) as { pid: number; address: number } | undefined;
  const given = known?.pid === process.pid ? known.address : undefined;
  watchedOver = isMainThread || given !== undefined;
  page = viewPage(given ?? map());
  return page;
}

function viewPage(address: number): { address: number; words: Int32Array } {
  return { address, words: new Int32Array(koffi().view(BigInt(address), pageBytes)) };
}

function map(): number {
  const mmap = libc('uintptr_t mmap(uintptr_t at, size_t size, int protection, int flags, int fd, int64_t offset)');
  return mmap(0, pageBytes, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
}

/** Ends this process, during its waits too, when `gone` says that the one that started it is gone. */
export function endIfParentIsGone(gone: () => boolean): void {
  parentIsGone = gone;
}

/** @internal Looked at after each native wait, which are bounded where it matters. */
export function checkParent(): void {
  if (parentIsGone?.() === true) process.exit(0);
}

/** @internal Seconds a native wait may take at once. */
export function longestWait(): number {
  if (!watchedOver) return sliceSeconds;
  return parentIsGone === undefined ? Infinity : LOOK_AGAIN;
}

let parentIsGone: (() => boolean) | undefined;

/** Makes native waits of this process's threads end with it. Called when a region of processes is first used. */
export function watchThreads(): void {
  if (watching) return;
  watching = true;
  const { address } = openPage();
  setEnvironmentData(key, { pid: process.pid, address });
  process.on('worker', follow);
  if (isMainThread) atExit(stopAll);
}

let watching = false;

function stopAll(): void {
  for (let index = 1; index < slots; index++) stop(index);
}

function follow(worker: Worker): void {
  const { threadId: id } = worker;
  const terminate = worker.terminate.bind(worker);
  // First the real one, so that the thread finds its end requested when it comes back from the native call.
  worker.terminate = () => {
    const ended = terminate();
    stop(id % slots);
    return ended;
  };
  worker.once('exit', () => {
    Atomics.store(openPage().words, id % slots, 0);
    closeOf(id % slots);
  });
}

function stop(index: number): void {
  const { address, words } = openPage();
  Atomics.store(words, index, 1);
  const wake = libc('long syscall(long number, uintptr_t word, int op, int count, long a, long b, long c)');
  wake(process.arch === 'arm64' ? 98 : 202, address + index * 4, 1, 0x7fffffff, 0, 0, 0);
}

function closeOf(index: number): void {
  const fd = Atomics.exchange(openPage().words, slots + index, 0);
  if (fd > 0) libc('int close(int fd)')(fd);
}

function sleepUntilEnded(): never {
  const poll = libc('int poll(void *fds, unsigned long count, int milliseconds)');
  for (;;) poll(null, 0, 1);
}

registerAtFork({
  afterInChild: () => {
    // The page is shared memory: a child's exit must not stop its parent's threads.
    page = undefined;
    current = undefined;
    if (watching) setEnvironmentData(key, { pid: process.pid, address: openPage().address });
  },
});
