// `node server.js KIND`: an echo server that tells its port to the process that started it: a style of simul/socketserver, node-net
// or node-dgram, or udp.
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { AF_INET, SOCK_DGRAM, socket } from '../../../src/entry/socket.ts';
import type { StyleName } from '../../../src/entry/socketserver.ts';
import { TCPServer } from '../../../src/entry/socketserver.ts';
import { echo } from './handlers.ts';

const kind = process.argv[2]!;
process.on('disconnect', () => process.exit());

if (kind === 'node-net') nodeNet();
else if (kind === 'node-dgram') nodeDgram();
else if (kind === 'udp') await udp();
else await styled(kind as StyleName);

async function styled(style: StyleName): Promise<void> {
  const server = new TCPServer(['127.0.0.1', 0], style === 'subprocess' ? ['cat'] : echo, {
    style,
    backlog: 1024,
    workers: 2,
    startMethod: 'forkserver',
  });
  await server.start();
  tell((server.serverAddress as [string, number])[1]);
}

async function udp(): Promise<void> {
  const server = socket(AF_INET, SOCK_DGRAM);
  await server.bind(['127.0.0.1', 0]);
  tell(server.getsockname()[1]);
  for (;;) {
    const [data, from] = await server.recvfrom(65_536);
    await server.sendto(data, from);
  }
}

function nodeNet(): void {
  const server = createServer((connection) => {
    connection.setNoDelay();
    connection.on('error', () => connection.destroy());
    connection.on('data', (data) => {
      if (connection.write(data)) return;
      connection.pause();
      connection.once('drain', () => connection.resume());
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => tell((server.address() as AddressInfo).port));
}

function nodeDgram(): void {
  const server = createSocket('udp4');
  server.on('message', (data, { port, address }) => server.send(data, port, address));
  server.bind(0, '127.0.0.1', () => tell(server.address().port));
}

function tell(port: number): void {
  process.send!(port);
}
