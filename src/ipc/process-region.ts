import { UnsupportedError } from '../base/errors.ts';
import { LiveObjects } from '../base/live-objects.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { close } from '../os/descriptor.ts';
import { hasLibc, libc } from '../os/libc.ts';
import { Poll, POLLIN } from '../os/poll.ts';
import { realClock } from '../base/clock.ts';
import { adopt, allocate, recycle } from './arena.ts';
import type { Piece } from './arena.ts';
import { futexWait, futexWake } from './futex.ts';
import { adoptInterruptPage, interruptPage, watchThreads } from './interrupt.ts';
import { mailbox, post } from './mailbox.ts';
import type { Region, RegionHandle, WordValue } from './region.ts';
import { LISTENERS, LOOK_AGAIN, SLOT_COUNT, SLOT_WORDS, SLOTS } from './region.ts';
import { gettid, robustList } from './robust-list.ts';

const SYS_pidfd_open = 434;
const PIDFD_THREAD = 0o200;

/** Memory that processes share, and how they wait on it: futexes for blocked threads, mailboxes for event loops. */
export class ProcessRegion implements Region {
  readonly scope = 'processes';
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly robust = robustList;
  readonly #piece: Piece;
  readonly #listeners = new Set<() => void>();
  #slot = -1;
  #leave: (() => void) | undefined;
  #shared = false;

  constructor(memory: number | (RegionHandle & { scope: 'processes' })) {
    checkPlatform();
    if (typeof memory !== 'number' && memory.pid === process.pid) adoptInterruptPage(memory.page);
    watchThreads();
    const piece =
      typeof memory === 'number'
        ? allocate(memory)
        : adopt(memory.pid, memory.fd, memory.id, memory.offset, memory.size);
    this.#piece = piece;
    this.#shared = typeof memory !== 'number';
    this.words = new Int32Array(piece.buffer, piece.offset, piece.size >> 2);
    this.bytes = new Uint8Array(piece.buffer, piece.offset, piece.size);
    this.address = piece.address + piece.offset;
    regions.add(this);
  }

  get self(): number {
    return gettid();
  }

  wait(index: number, value: number, seconds: number, also: readonly WordValue[] = []): void {
    const words = [[index, value] as const, ...also];
    futexWait(
      words.map(([at, expected]) => [this.address + at * 4, expected] as const),
      seconds,
    );
  }

  wake(index: number, count: number): void {
    futexWake(this.address + index * 4, count);
    this.ring();
  }

  /** Tells the event loops that listen. A slot already told and not yet looked at is told no second time. */
  ring(): void {
    const { words } = this;
    let mask = Atomics.load(words, LISTENERS);
    for (let slot = 0; mask !== 0; slot++, mask >>>= 1) {
      if ((mask & 1) === 0) continue;
      const at = SLOTS + slot * SLOT_WORDS;
      if (Atomics.exchange(words, at + 3, 1) === 1) continue;
      const pid = Atomics.load(words, at + 2);
      const token = [Atomics.load(words, at), Atomics.load(words, at + 1)] as const;
      if (!post(token) && Atomics.load(words, at) === token[0]) this.#free(slot, pid);
    }
  }

  listen(fn: () => void): () => void {
    const listener = () => fn();
    if (this.#listeners.size === 0) this.#enter();
    this.#listeners.add(listener);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#exit();
    };
  }

  watchOwner(owner: number, pid: number, fn: () => void): () => void {
    return watchThread(owner, pid, fn);
  }

  handle(): RegionHandle {
    this.#shared = true;
    const { fd, id, offset, size } = this.#piece;
    return { scope: 'processes', pid: process.pid, fd, id, offset, size, page: interruptPage() };
  }

  /** Gives the memory back if nobody else has been told of it. */
  release(): void {
    if (!this.#shared) recycle(this.#piece);
    this.#shared = true;
  }

  /** @internal In a forked child the parent's listeners are not ours. */
  afterFork(): void {
    this.#listeners.clear();
    this.#slot = -1;
  }

  #enter(): void {
    const { words } = this;
    const box = mailbox();
    this.#slot = this.#claim(box.token);
    const at = SLOTS + this.#slot * SLOT_WORDS;
    // Looked at in any case: without a slot of its own a listener is told by whoever else is.
    const look = () => {
      if (this.#slot >= 0 && Atomics.exchange(words, at + 3, 0) === 0) return;
      for (const listener of this.#listeners) listener();
    };
    const leaveBox = box.open(look);
    if (this.#slot >= 0) {
      // One killed between setting the flag and sending has left it set: nobody would send any more.
      const timer = setInterval(() => Atomics.store(words, at + 3, 0), LOOK_AGAIN * 1000);
      this.#leave = () => {
        clearInterval(timer);
        leaveBox();
      };
      return;
    }
    // More event loops than slots wait for one object: the surplus looks by itself.
    const timer = setInterval(look, 10);
    this.#leave = () => {
      clearInterval(timer);
      leaveBox();
    };
  }

  #exit(): void {
    this.#leave?.();
    this.#leave = undefined;
    if (this.#slot >= 0) this.#free(this.#slot, process.pid);
    this.#slot = -1;
  }

  #claim([a, b]: readonly [number, number]): number {
    const { words } = this;
    for (let pass = 0; pass < 2; pass++) {
      for (let slot = 0; slot < SLOT_COUNT; slot++) {
        const at = SLOTS + slot * SLOT_WORDS;
        if (Atomics.compareExchange(words, at + 2, 0, process.pid) !== 0) continue;
        Atomics.store(words, at, a);
        Atomics.store(words, at + 1, b);
        Atomics.store(words, at + 3, 0);
        Atomics.or(words, LISTENERS, 1 << slot);
        return slot;
      }
      this.#clearDead();
    }
    return -1;
  }

  #clearDead(): void {
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const pid = Atomics.load(this.words, SLOTS + slot * SLOT_WORDS + 2);
      if (pid !== 0 && libc('int kill(int pid, int signal)')(pid, 0) < 0) this.#free(slot, pid);
    }
  }

  #free(slot: number, pid: number): void {
    Atomics.and(this.words, LISTENERS, ~(1 << slot));
    Atomics.compareExchange(this.words, SLOTS + slot * SLOT_WORDS + 2, pid, 0);
  }
}

function watchThread(tid: number, pid: number, fn: () => void): () => void {
  const open = libc('long syscall(long number, long id, long flags)');
  let fd = open(SYS_pidfd_open, tid, PIDFD_THREAD);
  if (fd < 0 && tid === pid) fd = open(SYS_pidfd_open, tid, 0);
  if (fd < 0) {
    // Gone already, or a thread on Linux before 6.9: look again soon.
    const timer = realClock.setTimer(0.1, fn);
    return () => timer.cancel();
  }
  const poll = new Poll(fd, fn);
  poll.start(POLLIN);
  return () => {
    poll.close();
    close(fd);
  };
}

/** Why processes cannot share memory here; undefined if they can. */
export function whyNoSharedMemory(): string | undefined {
  if (process.platform !== 'linux') return `shared memory between processes needs Linux, not ${process.platform}`;
  return hasLibc()
    ? undefined
    : 'shared memory between processes needs libc through the package "koffi", which is not to be had here';
}

function checkPlatform(): void {
  const reason = whyNoSharedMemory();
  if (reason === undefined) return;
  const instead = 'queues and pipes go over sockets, a Manager has locks, threads have simul/threading';
  throw new UnsupportedError(`${reason}; ${instead}`);
}

const regions = new LiveObjects<ProcessRegion>();

registerAtFork({
  afterInChild: () => {
    for (const region of regions) region.afterFork();
  },
});
