// Echoes under TLS until it is killed; tells its parent the port and the authority to trust.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createNodeServer } from 'node:tls';
import { createServer } from '../../../src/entry/socket.ts';
import type { InetSocket } from '../../../src/entry/socket.ts';
import type { Certificate, SSLContext } from '../../../src/entry/ssl.ts';
import { createAuthority, createDefaultContext, Purpose } from '../../../src/entry/ssl.ts';

process.on('disconnect', () => process.exit());

const ca = await createAuthority();
const certificate = await ca.issueServer('localhost');
const port = process.argv[2] === 'ours' ? await ours(certificate) : await node(certificate);
process.send!([port, ca.cert]);

async function ours(cert: Certificate): Promise<number> {
  const context = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert });
  const listener = await createServer(['127.0.0.1', 0]);
  void accept(listener, context);
  return listener.getsockname()[1];
}

async function accept(listener: InetSocket, context: SSLContext): Promise<never> {
  for (;;) {
    const [connection] = await listener.accept();
    connection.setOptions({ noDelay: true });
    void serve(connection, context);
  }
}

async function serve(connection: InetSocket, context: SSLContext): Promise<void> {
  using client = await context.wrapSocket(connection);
  try {
    for (let data = await client.recv(65_536); data.length > 0; data = await client.recv(65_536)) {
      await client.sendall(data);
    }
  } catch {
    // The load generator does not say goodbye.
  }
}

async function node({ cert, key }: Certificate): Promise<number> {
  const server = createNodeServer({ cert, key, minVersion: 'TLSv1.2' }, (socket) => {
    socket.setNoDelay();
    socket.on('data', (data) => {
      if (!socket.write(data)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
