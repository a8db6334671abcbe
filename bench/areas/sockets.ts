import type { BenchContext, Contender, RowPlan } from '../harness.ts';
import type { Load, LoadProcess } from './sockets/load.ts';
import { nodeServer, pythonServer, serverContender } from './sockets/started.ts';
import { tlsRows } from './sockets/tls.ts';

export const title = 'Sockets: echo over TCP and UDP, and the styles of a server';

// Connections of 100 requests for styles that are cheap per request, of one where the connection is the cost.
const styles: Readonly<Record<string, { requests: number; total: number; raw?: boolean }>> = {
  async: { requests: 100, total: 60_000 },
  threads: { requests: 100, total: 60_000 },
  sequential: { requests: 1, total: 6000, raw: true },
  fork: { requests: 1, total: 1000 },
  subprocess: { requests: 1, total: 1000 },
  processes: { requests: 1, total: 4000 },
  process: { requests: 1, total: 100 },
};

export function rows(context: BenchContext): readonly RowPlan[] {
  const at = (total: number) => Math.max(20, context.count(total));
  return [
    echo('echo-64', { clients: 10, requests: 0, total: at(100_000), size: 64 }),
    echo('echo-64k', { clients: 10, requests: 0, total: at(20_000), size: 65_536 }),
    ...tlsRows(context),
    udp({ clients: 32, requests: 0, total: at(60_000), size: 64 }),
    ...Object.entries(styles).flatMap(([name, { requests, total, raw }]) => {
      const load = { clients: requests > 1 ? 50 : 10, requests, size: 64, total: at(Math.max(total, 20 * requests)) };
      return [styleRow(name, load, raw), latencyRow(name, { ...load, total: Math.max(20, load.total / 10) })];
    }),
  ];
}

function echo(name: string, load: Load): RowPlan {
  const settings = { connections: load.clients, bytes: load.size };
  const contender = (kind: string): Contender =>
    serverContender(
      () => nodeServer(kind),
      (clients, port) => clients.roundTrips(port, load),
      settings,
    );
  return {
    name,
    unit: 'round trip/s',
    better: 'higher',
    note: `${load.size} bytes there and back on ${load.clients} connections at once, TCPServer in style async`,
    ours: contender('async'),
    peers: { 'node-net': contender('node-net') },
  };
}

function udp(load: Load): RowPlan {
  const contender = (kind: string): Contender =>
    serverContender(
      () => nodeServer(kind),
      (clients, port) => clients.datagrams(port, load),
      { window: load.clients, bytes: load.size },
    );
  return {
    name: 'udp',
    unit: 'datagram/s',
    better: 'higher',
    note: `${load.size} bytes there and back, ${load.clients} under way; a loop of recvfrom and sendto`,
    ours: contender('udp'),
    peers: { 'node-dgram': contender('node-dgram') },
  };
}

function styleRow(name: string, load: Load, raw = false): RowPlan {
  const settings = { clients: load.clients, requestsPerConnection: load.requests };
  const measured = (clients: LoadProcess, port: number) => clients.requestsPerSecond(port, load);
  return {
    name: `style-${name}`,
    unit: 'request/s',
    better: 'higher',
    note: `${load.clients} clients at once, ${load.requests} request(s) of ${load.size} bytes a connection`,
    ours: serverContender(() => nodeServer(name), measured, settings),
    peers: {
      cpython: serverContender(() => pythonServer(name), measured, settings),
      ...(raw && { 'node-net': serverContender(() => nodeServer('node-net'), measured, settings) }),
    },
  };
}

function latencyRow(name: string, load: Load): RowPlan {
  const measured = (clients: LoadProcess, port: number) => clients.latency(port, load);
  return {
    name: `latency-${name}`,
    unit: 'ms',
    better: 'lower',
    note: `one client, a connection of ${load.requests} request(s) from connect to close, median, per request`,
    ours: serverContender(() => nodeServer(name), measured),
    peers: { cpython: serverContender(() => pythonServer(name), measured) },
  };
}
