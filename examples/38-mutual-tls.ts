// Mutual TLS: the server knows its clients by their certificates, and its own is renewed without a restart.
import { createConnection, createServer } from 'simul/socket';
import { createAuthority, createDefaultContext, Purpose, SSLError } from 'simul/ssl';
import type { Certificate, SSLContext } from 'simul/ssl';
import { rename, writeFile } from 'node:fs/promises';

const ca = await createAuthority('Fleet CA');

// Key and certificate in one file, put in place at once: no reader ever sees one without the other.
async function renew(): Promise<void> {
  const { cert, key } = await ca.issueServer('localhost');
  await writeFile('server.pem.new', cert + key, { mode: 0o600 });
  await rename('server.pem.new', 'server.pem');
}

await renew();
const server = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert: 'server.pem', cadata: ca.cert });
using listener = await createServer(['127.0.0.1', 0]);

async function serve(): Promise<void> {
  try {
    const [plain] = await listener.accept();
    await using client = await server.wrapSocket(plain);
    await client.sendall(`welcome, ${String(client.getpeercert()?.subject['CN'])}\n`);
  } catch (error) {
    if (!(error instanceof SSLError)) throw error;
    console.log('  server:', error.reason);
  }
}

async function visit(context: SSLContext): Promise<string> {
  const serving = serve();
  try {
    const plain = await createConnection(listener.getsockname());
    await using connection = await context.wrapSocket(plain, { serverHostname: 'localhost' });
    const greeting = (await connection.recv(100)).toString().trimEnd();
    return `${greeting} (server ${connection.getpeercert()?.serialNumber.slice(0, 8)})`;
  } catch (error) {
    if (!(error instanceof SSLError)) throw error;
    return `no entry: ${error.reason}`;
  } finally {
    await serving;
  }
}

const known = (cert: Certificate): SSLContext => createDefaultContext({ cadata: ca.cert, cert });
const alice = known(await ca.issueClient('alice'));
const bob = known(await ca.issueClient('bob'));
console.log('alice:', await visit(alice));
console.log('bob:', await visit(bob));
console.log('nobody:', await visit(createDefaultContext({ cadata: ca.cert })));

await renew();
server.reload(); // or once: server.watch()
console.log('alice, after the renewal:', await visit(alice));
