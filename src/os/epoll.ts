import { onFreshStart } from '../base/fresh-start.ts';
import { registerAtFork } from './at-fork.ts';
import { checked, errno, libc } from './libc.ts';
import type { NativeFunction } from './libc.ts';
import { onClosing, Poll, POLLIN, silencePolls } from './poll.ts';
import { methodsOf } from './precompile.ts';

/** What epoll_wait(2) tells: to read, to write, an error, both directions ended, the other side sends no more. */
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 16;
export const EPOLLRDHUP = 0x2000;

const EPOLLET = 2 ** 31;
const EPOLL_CLOEXEC = 0o2000000;
const [ADD, DEL, MOD] = [1, 2, 3];
const EINTR = 4;
// struct epoll_event is packed on x64 only (epoll_ctl(2)).
const dataOffset = process.arch === 'x64' ? 4 : 8;
const eventSize = dataOffset + 8;
const [eventWords, dataWord] = [eventSize / 4, dataOffset / 4];
const batch = 128;

/** Hears of one descriptor. */
export interface EpollListener {
  /** Once for each change, not for as long as it lasts: what was ready and is not used up is not told again. */
  ready(events: number): void;
  /** Somebody is about to close the descriptor. */
  closing(): void;
}

/**
 * Watches many descriptors of this thread, edge-triggered. Against a `Poll` for each, a new one costs one system call instead of
 * five, and all that are ready come in one call into JavaScript. Exists for as long as something is watched.
 */
class Epoll {
  readonly #watched: Map<number, Entry>;
  readonly #fd = checked(native().create(EPOLL_CLOEXEC), 'epoll_create1');
  readonly poll = new Poll(this.#fd, () => this.#collect()).unref();
  readonly #words = new Int32Array(batch * eventWords);
  readonly #events = Buffer.from(this.#words.buffer);
  #held = 0;

  constructor(watched = new Map<number, Entry>()) {
    this.#watched = watched;
    for (const [fd, entry] of watched) this.#register(ADD, fd, entry);
    this.poll.start(POLLIN);
  }

  get watched(): Map<number, Entry> {
    return this.#watched;
  }

  add(fd: number, entry: Entry): void {
    this.#control(ADD, fd, entry.events);
    this.#watched.set(fd, entry);
    if (entry.held) this.#hold(1);
  }

  change(fd: number, entry: Entry): void {
    this.#control(MOD, fd, entry.events);
  }

  remove(fd: number, gone: boolean): void {
    const entry = this.#watched.get(fd);
    if (entry === undefined) return;
    this.#watched.delete(fd);
    if (!gone) native().control(this.#fd, DEL, fd, event);
    if (entry.held) this.#hold(-1);
  }

  hold(fd: number, held: boolean): void {
    const entry = this.#watched.get(fd);
    if (entry === undefined || entry.held === held) return;
    entry.held = held;
    this.#hold(held ? 1 : -1);
  }

  /** In a forked child: what it has watched is the parent's. A new set takes the place, and the watch, of the shared one. */
  startAnew(): void {
    const fd = checked(native().create(EPOLL_CLOEXEC), 'epoll_create1');
    checked(native().replace(fd, this.#fd, EPOLL_CLOEXEC), 'dup3');
    native().close(fd);
    this.#watched.clear();
    if (this.#held > 0) this.#hold(-this.#held);
  }

  close(): void {
    this.poll.close();
    native().close(this.#fd);
  }

  #register(operation: number, fd: number, entry: Entry): void {
    try {
      this.#control(operation, fd, entry.events);
      if (entry.held) this.#hold(1);
    } catch {
      this.#watched.delete(fd); // closed before the fork was noticed
    }
  }

  #control(operation: number, fd: number, events: number): void {
    event.writeUInt32LE((events | EPOLLET) >>> 0, 0);
    event.writeInt32LE(fd, dataOffset);
    checked(native().control(this.#fd, operation, fd, event), 'epoll_ctl', { fd });
  }

  #hold(change: number): void {
    const before = this.#held;
    this.#held += change;
    if (before === 0 && this.#held > 0) this.poll.ref();
    if (before > 0 && this.#held === 0) this.poll.unref();
  }

  #collect(): void {
    const count = native().wait(this.#fd, this.#events, batch, 0);
    if (count < 0) {
      if (errno() === EINTR) return;
      checked(count, 'epoll_wait', { fd: this.#fd });
    }
    for (let at = 0; at < count * eventWords; at += eventWords) {
      this.#notify(this.#words[at + dataWord]!, this.#words[at]!);
    }
  }

  #notify(fd: number, events: number): void {
    try {
      this.#watched.get(fd)?.listener.ready(events);
    } catch (error) {
      // The others of the batch must hear of theirs.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

interface Entry {
  readonly listener: EpollListener;
  events: number;
  held: boolean;
}

let epoll: Epoll | undefined;
const event = Buffer.alloc(eventSize);

/** Begins to watch a descriptor, which must be non-blocking; what is ready already is told as well. `held` keeps the program alive. */
export function epollAdd(fd: number, events: number, listener: EpollListener, held = true): void {
  epoll ??= new Epoll();
  epoll.add(fd, { listener, events, held });
}

/** Changes what is watched for; what is ready already is told again. */
export function epollChange(fd: number, events: number): void {
  const entry = epoll?.watched.get(fd);
  if (entry === undefined) return;
  entry.events = events;
  epoll!.change(fd, entry);
}

/**
 * Watches no more. `gone`: the descriptor is closed next, which takes it out of the set by itself, for nothing. (Should a copy of it live on,
 * in a child or by dup, a later descriptor of its number may be called ready when it is not: its listener finds nothing.)
 */
export function epollRemove(fd: number, gone = false): void {
  epoll?.remove(fd, gone);
  closeIfIdle();
}

/** Whether it keeps the program alive. */
export function epollHold(fd: number, held: boolean): void {
  epoll?.hold(fd, held);
}

/**
 * Runs a fork whose child goes on with none of what is watched here, nor by `Poll`: it would take from shared descriptors what is
 * its parent's. @internal
 */
export function withoutWatchesInChild<T>(fork: () => T): T {
  inherited = false;
  try {
    return fork();
  } finally {
    inherited = true;
  }
}

let inherited = true;

/** What its child calls, to be compiled ahead. @internal */
export function calledInChild(): unknown[] {
  return [silencePolls, ...methodsOf(Epoll.prototype), ...methodsOf(Poll.prototype)];
}

function closeIfIdle(): void {
  if (epoll === undefined || epoll.watched.size > 0) return;
  epoll.close();
  epoll = undefined;
}

onClosing((fd) => {
  const entry = epoll?.watched.get(fd);
  if (entry === undefined) return;
  epollRemove(fd);
  entry.listener.closing();
});

registerAtFork({
  afterInChild: () => {
    if (!inherited) silencePolls(epoll?.poll);
    if (epoll === undefined) return;
    if (!inherited) {
      epoll.startAnew();
      return;
    }
    const { watched } = epoll;
    epoll.close();
    epoll = watched.size > 0 ? new Epoll(watched) : undefined;
  },
});

// Its handle has been silenced with all others: the next watch makes another.
onFreshStart(() => {
  epoll?.close();
  epoll = undefined;
});

type Native = Readonly<Record<'create' | 'control' | 'wait' | 'replace' | 'close', NativeFunction>>;

let bound: Native | undefined;

function native(): Native {
  return (bound ??= {
    create: libc('int epoll_create1(int flags)'),
    replace: libc('int dup3(int from, int to, int flags)'),
    close: libc('int close(int fd)'),
    control: libc('int epoll_ctl(int epfd, int operation, int fd, void *event)'),
    wait: libc('int epoll_wait(int epfd, void *events, int most, int timeout)'),
  });
}
