import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { getrlimit, setrlimit } from '../../src/entry/os.ts';
import type { InetSocket, Socket } from '../../src/entry/socket.ts';
import { createConnection, SHUT_WR } from '../../src/entry/socket.ts';
import { TCPServer } from '../../src/entry/socketserver.ts';
import { sized } from '../fixtures/program.ts';
import { openDescriptors } from '../support/descriptors.ts';

const echo = async (connection: Socket): Promise<void> => {
  for await (const data of connection) await connection.sendall(data);
};

describe('under load', () => {
  test(`${sized(5000, 500)} connections at once, each answered, none left`, async () => {
    const count = sized(5000, 500);
    const [, hard] = getrlimit('nofile');
    setrlimit('nofile', [Math.min(hard, Math.max(2 * count + 200, 4096)), hard]);
    const before = openDescriptors();
    await using server = new TCPServer(['127.0.0.1', 0], echo, { backlog: 4096 });
    await server.start();
    const clients: InetSocket[] = [];
    while (clients.length < count) {
      const some = Array.from({ length: 100 }, () => createConnection(server.serverAddress as [string, number]));
      clients.push(...(await Promise.all(some)));
    }
    await Promise.all(clients.map((client, i) => client.sendall(`client ${i}`)));
    const answers = await Promise.all(clients.map((client) => client.recv(100)));
    assert.deepEqual(
      answers.map(String),
      clients.map((_, i) => `client ${i}`),
    );
    assert.equal(server.running, count);
    for (const client of clients) client.close();
    await server.shutdown();
    assert.equal(openDescriptors(), before);
  });

  test(`${sized(1024, 64)} MB through one connection, checksum and all`, async () => {
    const chunk = randomBytes(1 << 20);
    const chunks = sized(1024, 64);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    await using server = new TCPServer(['127.0.0.1', 0], echo);
    await server.start();
    using client = await createConnection(server.serverAddress as [string, number]);
    const sending = (async () => {
      for (let i = 0; i < chunks; i++) {
        chunk.writeUInt32LE(i);
        sent.update(chunk);
        await client.sendall(chunk);
      }
      client.shutdown(SHUT_WR);
    })();
    let total = 0;
    for (let data = await client.recv(1 << 20); data.length > 0; data = await client.recv(1 << 20)) {
      received.update(data);
      total += data.length;
    }
    await sending;
    assert.equal(total, chunks << 20);
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });

  test('a client that does not read holds up nobody but itself', async () => {
    let sent = 0;
    let closed!: (error: unknown) => void;
    const ended = new Promise((resolve) => (closed = resolve));
    const flood = async (connection: Socket): Promise<void> => {
      if ((await connection.recv(4)).toString() !== 'pour') return connection.sendall('served');
      try {
        for (;;) {
          await connection.sendall(Buffer.alloc(100_000));
          sent += 100_000;
        }
      } catch (error) {
        closed(error);
        throw error;
      }
    };
    const errors: unknown[] = [];
    await using server = new TCPServer(['127.0.0.1', 0], flood, { onError: (error) => errors.push(error) });
    await server.start();
    using slow = await createConnection(server.serverAddress as [string, number]);
    await slow.sendall('pour');
    for (let last = -1; last !== sent;) {
      last = sent;
      using other = await createConnection(server.serverAddress as [string, number]);
      await other.sendall('ask!');
      assert.equal((await other.recv(100)).toString(), 'served');
    }
    assert.ok(sent < 50_000_000, `${sent} bytes went to who does not read`);
    slow.close();
    assert.match(((await ended) as Error).message, /^(ECONNRESET|EPIPE)/);
    await server.shutdown();
    assert.equal(errors.length, 1);
  });

  test('half-open peers and resets cost no descriptor, and time out where a timeout was set', async () => {
    const errors: string[] = [];
    const settings = { timeout: 0.2, onError: (error: unknown) => errors.push((error as Error).name) };
    const before = openDescriptors();
    await using server = new TCPServer(['127.0.0.1', 0], echo, settings);
    await server.start();
    const [host, port] = server.serverAddress as [string, number];
    // They send half a message and then nothing, for ever.
    const silent = await Promise.all(Array.from({ length: 20 }, () => createConnection([host, port])));
    await Promise.all(silent.map((client) => client.sendall('half')));
    for (const client of silent) assert.equal((await client.recvExactly(4)).toString(), 'half');
    for (const client of silent) assert.equal((await client.recv(1, { timeout: 10 })).length, 0);
    assert.deepEqual(new Set(errors), new Set(['TimeoutError']));
    errors.length = 0;
    const breaking = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = connect(port, host);
        await new Promise((resolve) => client.once('connect', resolve));
        client.write('x');
        return client;
      }),
    );
    const gone = breaking.map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const client of breaking) client.resetAndDestroy();
    await Promise.all(gone);
    for (const client of silent) client.close();
    using last = await createConnection([host, port]);
    await last.sendall('still here');
    assert.equal((await last.recv(100)).toString(), 'still here');
    last.close();
    await server.shutdown();
    assert.deepEqual(new Set(errors), new Set(['SocketError']));
    assert.equal(openDescriptors(), before);
  });
});
