import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Sample } from '../../harness.ts';
import { throughput } from '../../harness.ts';
import { proveCount } from '../../proof.ts';
import { median } from '../../statistics.ts';

// The load is raw node:net and node:dgram for all contenders.
const host = '127.0.0.1';

/** What clients do: `clients` at once open connections with `requests` each, until there were `total` requests. */
export interface Load {
  readonly clients: number;
  readonly requests: number;
  readonly total: number;
  readonly size: number;
}

/** Requests per second. */
export async function requestsPerSecond(port: number, load: Load): Promise<Sample> {
  let bytes = 0;
  const sample = await throughput(load.total, async () => {
    bytes = (await clients(port, load)).reduce((sum, each) => sum + each, 0);
  });
  proveCount('bytes', load.total * load.size, bytes);
  return sample;
}

/** The median time of a connection with its requests, divided by their number, in milliseconds. */
export async function latency(port: number, load: Load): Promise<Sample> {
  const times: number[] = [];
  for (let i = 0; i < load.total / load.requests; i++) {
    const start = performance.now();
    await connection(port, load);
    times.push((performance.now() - start) / load.requests);
  }
  return { value: median(times), operations: load.total };
}

/** Round trips per second on connections that stay. */
export async function roundTrips(port: number, load: Load): Promise<Sample> {
  return requestsPerSecond(port, { ...load, requests: load.total / load.clients });
}

/** Datagrams there and back per second, `clients` under way at a time. */
export async function datagrams(port: number, { clients: window, total, size }: Load): Promise<Sample> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(0, host);
  await once(socket, 'listening');
  socket.connect(port, host);
  await once(socket, 'connect');
  const message = Buffer.alloc(size, 'x');
  let received = 0;
  const sample = await throughput(
    total,
    () =>
      new Promise<void>((done) => {
        let sent = window;
        socket.on('message', () => {
          if (++received === total) done();
          else if (sent++ < total) socket.send(message);
        });
        for (let i = 0; i < window; i++) socket.send(message);
      }),
  );
  socket.close();
  proveCount('datagrams', total, received);
  return sample;
}

function clients(port: number, load: Load): Promise<number[]> {
  let left = load.total / load.requests;
  return Promise.all(
    Array.from({ length: load.clients }, async () => {
      let bytes = 0;
      while (left-- > 0) bytes += await connection(port, load);
      return bytes;
    }),
  );
}

function connection(port: number, { requests, size }: Load): Promise<number> {
  const message = Buffer.alloc(size, 'x');
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, host, () => {
      socket.setNoDelay();
      socket.write(message);
    });
    let received = 0;
    socket.on('error', reject);
    socket.on('data', (data) => {
      received += data.length;
      if (received === requests * size) socket.end();
      else if (received % size === 0) socket.write(message);
    });
    socket.on('close', () => resolve(received));
  });
}
