import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { BenchContext, Contender, RowPlan, Sample } from '../../harness.ts';
import { throughput } from '../../harness.ts';
import { proveCount } from '../../proof.ts';

const connections = 10;

/** Echo under TLS 1.3: small messages, and large ones; the load is the same raw client for both servers. */
export function tlsRows(context: BenchContext): readonly RowPlan[] {
  return [
    row('tls', 1024, context.count(60_000)),
    row('tls-64k', 65_536, context.count(8000)),
    handshakes(context.count(3000)),
  ];
}

function row(name: string, size: number, n: number): RowPlan {
  const against = (kind: string): Contender =>
    contender(kind, { connections, bytes: size }, (target) => load(target, size, n));
  return {
    name,
    unit: 'round trip/s',
    better: 'higher',
    note: `${size} bytes there and back under TLS on ${connections} connections, one under way on each; handshakes not counted`,
    ours: against('ours'),
    peers: { 'node-tls': against('node-tls') },
  };
}

function handshakes(n: number): RowPlan {
  const against = (kind: string): Contender => contender(kind, { connections }, (target) => connecting(target, n));
  return {
    name: 'tls-handshake',
    unit: 'connection/s',
    better: 'higher',
    note: `full TLS 1.3 handshakes and one byte there and back, ${connections} at once`,
    ours: against('ours'),
    peers: { 'node-tls': against('node-tls') },
  };
}

type Target = [port: number, ca: string];

function contender(
  kind: string,
  settings: NonNullable<Contender['settings']>,
  work: (target: Target) => Promise<Sample>,
): Contender {
  let server: ChildProcess | undefined;
  let target: Target;
  return {
    settings,
    prepare: async () => {
      server = fork(resolve(import.meta.dirname, 'tls-server.js'), [kind]);
      [target] = (await once(server, 'message')) as [Target];
    },
    run: () => work(target),
    close: async () => {
      if (server === undefined || server.exitCode !== null) return;
      server.kill();
      await once(server, 'exit');
    },
  };
}

async function connecting(target: Target, n: number): Promise<Sample> {
  let through = 0;
  const lane = async (): Promise<void> => {
    for (let i = 0; i < n / connections; i++) {
      const socket = open(target);
      socket.write('x');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      through += answer.length;
      socket.destroy();
    }
  };
  const sample = await throughput(n, () => Promise.all(Array.from({ length: connections }, lane)));
  proveCount('connections', n, through);
  return sample;
}

function open([port, ca]: Target): TLSSocket {
  return connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
}

async function load(target: Target, size: number, n: number): Promise<Sample> {
  const sockets = Array.from({ length: connections }, () => open(target));
  await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')));
  for (const socket of sockets) socket.setNoDelay();
  let bytes = 0;
  const sample = await throughput(n, async () => {
    const counts = await Promise.all(sockets.map((socket) => pingPong(socket, size, n / connections)));
    bytes = counts.reduce((total, count) => total + count, 0);
  });
  for (const socket of sockets) socket.destroy();
  proveCount('bytes', n * size, bytes);
  return sample;
}

function pingPong(socket: TLSSocket, size: number, rounds: number): Promise<number> {
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
