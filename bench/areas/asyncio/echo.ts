import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import type { BenchContext, Contender, RowPlan, Sample } from '../../harness.ts';
import { throughput } from '../../harness.ts';
import { proveCount } from '../../proof.ts';

const size = 1024;
const connections = 10;

/** Round trips of 1 KiB; the load is the same raw client for both, the server a process of its own. */
export function echo(context: BenchContext): RowPlan {
  const n = context.count(100_000);
  return {
    name: 'echo',
    unit: 'round trip/s',
    better: 'higher',
    note: `${size} bytes there and back on ${connections} connections at once, one under way on each`,
    ours: contender('ours', n),
    peers: { 'node-net': contender('node-net', n) },
  };
}

function contender(kind: string, n: number): Contender {
  let server: ChildProcess | undefined;
  let port = 0;
  return {
    settings: { connections, bytes: size },
    prepare: async () => {
      server = fork(resolve(import.meta.dirname, 'echo-server.js'), [kind]);
      [port] = (await once(server, 'message')) as [number];
    },
    run: () => load(port, n),
    close: async () => {
      if (server === undefined || server.exitCode !== null) return;
      server.kill();
      await once(server, 'exit');
    },
  };
}

async function load(port: number, n: number): Promise<Sample> {
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.setNoDelay();
  let bytes = 0;
  const sample = await throughput(n, async () => {
    const counts = await Promise.all(sockets.map((socket) => pingPong(socket, n / connections)));
    bytes = counts.reduce((total, count) => total + count, 0);
  });
  for (const socket of sockets) socket.destroy();
  proveCount('bytes', n * size, bytes);
  return sample;
}

function pingPong(socket: Socket, rounds: number): Promise<number> {
  const message = Buffer.alloc(size, 'x');
  return new Promise((resolve, reject) => {
    let received = 0;
    socket.on('error', reject);
    socket.on('data', (data) => {
      received += data.length;
      if (received === rounds * size) resolve(received);
      else if (received % size === 0) socket.write(message);
    });
    socket.write(message);
  });
}
