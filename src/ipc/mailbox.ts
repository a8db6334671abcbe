import { randomFillSync } from 'node:crypto';
import { registerAtFork } from '../os/at-fork.ts';
import { close, tryRead } from '../os/descriptor.ts';
import { checked, errno, libc } from '../os/libc.ts';
import { Poll, POLLIN } from '../os/poll.ts';
import { closeWithThread } from './interrupt.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const ECONNREFUSED = 111;

/** The name of a thread's mailbox: two random words. */
export type Token = readonly [number, number];

/**
 * How one thread's event loop is told by other processes that something shared has changed, without polling and without a
 * thread that waits: a datagram socket with an abstract name, which the kernel frees with its owner. A datagram says only
 * "look"; whoever sends one for nothing causes a look.
 */
export class Mailbox {
  readonly token: Token;
  readonly #fd: number;
  readonly #poll: Poll;
  readonly #looks = new Set<() => void>();

  constructor() {
    const words = randomFillSync(new Int32Array(2));
    words[0]! |= 1; // 0 marks a free slot
    this.token = [words[0]!, words[1]!];
    this.#fd = threadSocket();
    const name = address(this.token);
    checked(libc('int bind(int fd, const void *address, uint size)')(this.#fd, name, name.length), 'bind');
    this.#poll = new Poll(this.#fd, () => this.#look()).unref();
    this.#poll.start(POLLIN);
    this.#poll.unref();
  }

  /** Calls `look` after each message, and keeps the event loop alive until the returned function is called. */
  open(look: () => void): () => void {
    if (this.#looks.size === 0) this.#poll.ref();
    this.#looks.add(look);
    return () => {
      if (this.#looks.delete(look) && this.#looks.size === 0) this.#poll.unref();
    };
  }

  close(): void {
    this.#poll.close();
  }

  #look(): void {
    for (let reads = 0; reads < 16 && tryRead(this.#fd, 1) !== undefined; reads++);
    for (const look of this.#looks) look();
  }
}

/** This thread's mailbox, made on first use. */
export function mailbox(): Mailbox {
  return (own ??= new Mailbox());
}

/** Tells a mailbox to look; false if its owner is gone. A full one will look anyway. */
export function post(token: Token): boolean {
  const send = libc('long sendto(int fd, const void *data, size_t size, int flags, const void *to, uint length)');
  const name = address(token);
  if (send(threadSocket(), one, 1, MSG_DONTWAIT_NOSIGNAL, name, name.length) >= 0) return true;
  return errno() !== ECONNREFUSED;
}

// One for both directions: of a thread that is terminated, one descriptor is closed.
function threadSocket(): number {
  if (socket !== undefined) return socket;
  const make = libc('int socket(int domain, int type, int protocol)');
  socket = checked(make(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0), 'socket');
  closeWithThread(socket);
  return socket;
}

let own: Mailbox | undefined;
let socket: number | undefined;
const one = Buffer.from([1]);

function address([a, b]: Token): Buffer {
  const name = Buffer.from(`..\0simul-${hex(a)}${hex(b)}`, 'latin1');
  name.writeUInt16LE(AF_UNIX, 0);
  return name;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

registerAtFork({
  afterInChild: () => {
    // Parent and child would take each other's messages. The parent's descriptor is only closed here.
    own?.close();
    own = undefined;
    if (socket !== undefined) close(socket);
    socket = undefined;
  },
});
