import { errno, libc } from '../../../src/os/libc.ts';
import { proveCount } from '../../proof.ts';
import type { Load } from './load.ts';
import {
  close,
  connected,
  EAGAIN,
  endSending,
  memory,
  MSG_DONTWAIT,
  must,
  recv,
  send,
  SOCK_STREAM,
} from './syscalls.ts';

const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLET = 2 ** 31;
const EPOLL_CTL_ADD = 1;
// In words of 4 bytes; struct epoll_event is packed on x64 only.
const [eventSize, dataOffset] = process.arch === 'x64' ? [3, 1] : [4, 2];
const batch = 256;
/** Milliseconds without any news after which the server counts as stuck. */
const patience = 60_000;

const epollCreate = libc('int epoll_create1(int flags)');
const epollControl = libc('int epoll_ctl(int epfd, int operation, int fd, void *event)');
const epollWait = libc('int epoll_wait(int epfd, uintptr_t events, int most, int timeout)');

/**
 * Clients that send a message, wait for all of it to come back, and send the next: as few system calls as that takes (one send and one
 * recv, and a share of an epoll_wait), and nothing is allocated, so that the load costs less than any server.
 */
export class Clients {
  readonly #port: number;
  readonly #load: Load;
  readonly #epoll = must('epoll_create1', epollCreate(0));
  readonly #message: { readonly bytes: Buffer; readonly address: number };
  readonly #inbox = memory(65_536);
  readonly #events = memory(batch * eventSize * 4);
  /** By descriptor: bytes of the message that were sent, that came back, requests that were answered. */
  readonly #sent: Int32Array;
  readonly #received: Int32Array;
  readonly #answered: Int32Array;
  #connections: number;
  #open = 0;
  /** Bytes that came back. */
  bytes = 0;

  constructor(port: number, load: Load) {
    this.#port = port;
    this.#load = load;
    this.#message = memory(load.size);
    this.#connections = load.total / load.requests;
    const most = load.clients + 1024;
    [this.#sent, this.#received, this.#answered] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)];
  }

  run(): void {
    const words = new Int32Array(this.#events.bytes.buffer);
    for (let i = 0; i < this.#load.clients; i++) this.#next();
    while (this.#open > 0) {
      const count = must('epoll_wait', epollWait(this.#epoll, this.#events.address, batch, patience));
      if (count === 0) throw new Error(`${this.#open} connections wait for an answer in vain`);
      for (let i = 0; i < count; i++) this.#ready(words[i * eventSize + dataOffset]!);
    }
    close(this.#epoll);
    proveCount('bytes', this.#load.total * this.#load.size, this.bytes);
  }

  #next(): void {
    if (this.#connections-- <= 0) return;
    const fd = connected(SOCK_STREAM, this.#port);
    this.#open++;
    this.#received[fd] = this.#answered[fd] = 0;
    const event = new Uint32Array(eventSize);
    event[0] = EPOLLIN + EPOLLOUT + EPOLLET;
    event[dataOffset] = fd;
    must('epoll_ctl', epollControl(this.#epoll, EPOLL_CTL_ADD, fd, Buffer.from(event.buffer)));
    this.#request(fd);
  }

  #request(fd: number): void {
    this.#sent[fd] = 0;
    this.#transmit(fd);
  }

  #transmit(fd: number): void {
    const { size } = this.#load;
    const sent = this.#sent[fd]!;
    const put = send(fd, this.#message.address + sent, size - sent, MSG_DONTWAIT);
    if (put < 0 && errno() !== EAGAIN) must('send', put);
    if (put <= 0) return;
    this.#sent[fd] = sent + put;
    // Behind the last request, not behind its answer: who serves one connection after the other would wait for the client's next move.
    if (sent + put === size && this.#answered[fd]! + 1 === this.#load.requests) endSending(fd);
  }

  #ready(fd: number): void {
    const { size } = this.#load;
    if (this.#sent[fd]! < size) this.#transmit(fd);
    for (;;) {
      const got = recv(fd, this.#inbox.address, 65_536, MSG_DONTWAIT);
      if (got < 0 && errno() === EAGAIN) return;
      if (must('recv', got) === 0) return this.#ended(fd);
      this.bytes += got;
      this.#received[fd]! += got;
      if (this.#received[fd] === size) this.#answer(fd);
      // The end may have come together with the last answer, and is not told again.
      if (got < 65_536 && this.#answered[fd]! < this.#load.requests) return;
    }
  }

  #answer(fd: number): void {
    this.#received[fd] = 0;
    if (++this.#answered[fd]! < this.#load.requests) this.#request(fd);
  }

  #ended(fd: number): void {
    close(fd);
    this.#open--;
    if (this.#answered[fd] !== this.#load.requests) throw new Error('a connection was closed before its last answer');
    this.#next();
  }
}
