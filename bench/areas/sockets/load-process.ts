// A process that is nothing but clients: told by its parent what to do, it answers what came of it.
import { availableParallelism } from 'node:os';
import { schedGetaffinity, schedSetaffinity } from '../../../src/entry/os.ts';
import { Clients } from './clients.ts';
import type { Load, Order, Outcome } from './load.ts';
import {
  close,
  connected,
  endSending,
  limitWaits,
  memory,
  must,
  recv,
  send,
  SOCK_DGRAM,
  SOCK_STREAM,
} from './syscalls.ts';

const patience = 60; // seconds

process.on('disconnect', () => process.exit());
process.on('message', ({ kind, port, load }: Order) => process.send!(measured(() => work[kind](port, load))));

// A core of its own: the servers that serve with one thread are given the others.
if (availableParallelism() > 1) schedSetaffinity(0, [Math.max(...schedGetaffinity())]);

const work: Readonly<Record<Order['kind'], (port: number, load: Load) => number[]>> = {
  clients: (port, load) => {
    new Clients(port, load).run();
    return [];
  },
  connections: (port, load) => Array.from({ length: load.total / load.requests }, () => connection(port, load)),
  datagrams: (port, load) => {
    datagrams(port, load);
    return [];
  },
};

function measured(run: () => number[]): Outcome {
  const before = process.cpuUsage();
  const start = performance.now();
  const times = run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6, times };
}

/** Milliseconds from connect to close, by request. */
function connection(port: number, { requests, size }: Load): number {
  const message = memory(size);
  const start = performance.now();
  const fd = connected(SOCK_STREAM, port);
  limitWaits(fd, patience);
  for (let i = 0; i < requests; i++) {
    must('send', send(fd, message.address, size, 0));
    if (i + 1 === requests) endSending(fd);
    for (let left = size; left > 0;) left -= ended(must('recv', recv(fd, message.address, left, 0)));
  }
  if (must('recv', recv(fd, message.address, size, 0)) > 0) throw new Error('more came than was sent');
  close(fd);
  return (performance.now() - start) / requests;
}

function ended(got: number): number {
  if (got === 0) throw new Error('the connection was closed before its last answer');
  return got;
}

function datagrams(port: number, { clients: window, total, size }: Load): void {
  const message = memory(size);
  const fd = connected(SOCK_DGRAM, port);
  limitWaits(fd, patience);
  let sent = 0;
  const transmit = (): void => {
    if (sent++ < total) must('send', send(fd, message.address, size, 0));
  };
  for (let i = 0; i < window; i++) transmit();
  for (let received = 0; received < total; received++) {
    if (must('recv', recv(fd, message.address, size, 0)) !== size) throw new Error('a datagram came back shorter');
    transmit();
  }
  close(fd);
}
