import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { forkFlags } from '../../src/entry/os.ts';
import type { InetAddress } from '../../src/entry/socket.ts';
import { createConnection } from '../../src/entry/socket.ts';
import type { ServerOptions, StyleName } from '../../src/entry/socketserver.ts';
import { TCPServer } from '../../src/entry/socketserver.ts';
import { SSLError } from '../../src/entry/ssl.ts';
import { clientContext, fixtures, text } from './connection.ts';
import { Folder } from './folder.ts';
import { digest, greet, serverTls } from './handlers.ts';

const wait = { timeout: 20 };
const styles: readonly [StyleName, ServerOptions][] = [
  ['async', {}],
  ['sequential', {}],
  ['threads', { workers: 2 }],
  ['process', {}],
  ['processes', { workers: 2 }],
];

describe('socket servers under TLS', () => {
  const folder = new Folder();
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
    folder.write('ca.pem', given.ca.cert);
    folder.write('server.pem', given.server.cert);
    folder.write('server.key', given.server.key);
    process.env['SIMUL_TEST_CERTS'] = folder.path;
  });
  after(() => {
    delete process.env['SIMUL_TEST_CERTS'];
    folder[Symbol.dispose]();
  });

  for (const [style, more] of styles) {
    it(`know their clients and go on after those they refuse: ${style}`, async () => {
      const errors: unknown[] = [];
      const options = { style, ...more, ssl: serverTls, onError: (error: unknown) => errors.push(error) };
      await using server = new TCPServer(['127.0.0.1', 0], greet, options);
      await server.start();
      const ssl = clientContext(given.ca, given.client);
      const connect = (context = ssl) =>
        createConnection(server.serverAddress, { ssl: context, serverHostname: 'localhost', ...wait });
      const plain = await createConnection(server.serverAddress, wait);
      await plain.sendall('GET / HTTP/1.0\r\n\r\n');
      for await (const _ of plain);
      plain.close();
      const nameless = await connect(clientContext(given.ca));
      await assert.rejects(nameless.recv(1, wait), SSLError);
      nameless.close();
      for (let i = 0; i < 3; i++) {
        using client = await connect();
        assert.equal(text(await client.recvExactly(12, wait)), 'hello alice\n');
        await client.sendall(`again ${i}`, wait);
        assert.equal(text(await client.recvExactly(7, wait)), `again ${i}`);
      }
      assert.deepEqual(
        errors.map((error) => (error as Error).name),
        ['SSLError', 'SSLError'],
      );
    });
  }

  it('serve each client by a forked child', async () => {
    const script = new URL('../fixtures/socketserver/forking.js', import.meta.url).pathname;
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    const child = spawn(process.execPath, [...forkFlags, script, 'tls'], { stdio });
    const over = once(child, 'close');
    const [ready] = (await once(child.stdout, 'data')) as [Buffer];
    const address = JSON.parse(ready.toString().slice('ready '.length)) as InetAddress;
    const ssl = clientContext(given.ca, given.client);
    const ask = async (i: number): Promise<string> => {
      using client = await createConnection(address, { ssl, serverHostname: 'localhost', ...wait });
      await client.sendall(`${i}`, wait);
      return text(await client.recvExactly(13, wait));
    };
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map(ask)), [
      'hello alice\n1',
      'hello alice\n2',
      'hello alice\n3',
      'hello alice\n4',
    ]);
    child.kill('SIGTERM');
    await over;
  });

  it('serve with a handler class, also much', async () => {
    await using server = new TCPServer(['127.0.0.1', 0], digest, { ssl: serverTls() });
    await server.start();
    const ssl = clientContext(given.ca, given.client);
    using client = await createConnection(server.serverAddress, { ssl, serverHostname: 'localhost', ...wait });
    const payload = randomBytes(2_000_000);
    await client.sendall(`${payload.length}\n`, wait);
    await client.sendall(payload, wait);
    assert.deepEqual(await client.recvExactly(32, wait), createHash('sha256').update(payload).digest());
  });
});
