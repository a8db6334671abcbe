import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SocketError, TimeoutError } from '../../src/entry/socket.ts';
import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, socket, socketpair } from '../../src/entry/socket.ts';
import { closing } from './closing.ts';

const text = (bytes: Buffer): string => bytes.toString();

describe('a datagram socket', () => {
  for (const [family, host] of [
    [AF_INET, '127.0.0.1'],
    [AF_INET6, '::1'],
  ] as const) {
    test(`receives whole datagrams and answers, on ${host}`, async () => {
      using server = socket(family, SOCK_DGRAM);
      await server.bind([host, 0]);
      using client = socket(family, SOCK_DGRAM);
      const wait = server.recvfrom(100);
      assert.equal(await client.sendto('ping', server.getsockname()), 4);
      const [data, from] = await wait;
      assert.equal(text(data), 'ping');
      assert.deepEqual(from, [host, client.getsockname()[1]]);
      await server.sendto('pong', from);
      assert.equal(text((await client.recvfrom(100))[0]), 'pong');
      await client.connect(server.getsockname());
      await client.send('');
      await client.send('cut off');
      assert.equal((await server.recvfrom(100))[0].length, 0);
      assert.equal(text(await server.recv(3)), 'cut');
      await assert.rejects(server.recv(3, { timeout: 0.01 }), TimeoutError);
    });
  }

  test('takes names, and addresses of several senders', async () => {
    using server = socket(AF_INET, SOCK_DGRAM);
    await server.bind(['localhost', 0]);
    const clients = Array.from({ length: 20 }, () => socket(AF_INET, SOCK_DGRAM));
    const [, port] = server.getsockname();
    for (const [i, client] of clients.entries()) await client.sendto(`${i}`, ['localhost', port]);
    for (const [i, client] of clients.entries()) {
      const [data, from] = await server.recvfrom(10);
      assert.equal(text(data), `${i}`);
      assert.equal(from[1], client.getsockname()[1]);
      client.close();
    }
  });

  test('tells of a datagram that is too long, and of one that nobody took', async () => {
    using client = socket(AF_INET, SOCK_DGRAM);
    await assert.rejects(client.sendto(Buffer.alloc(70_000), ['127.0.0.1', 9]), (error) => {
      assert.ok(error instanceof SocketError);
      assert.equal(error.message, "EMSGSIZE: message too long, sendto '127.0.0.1:9'");
      return error.port === 9;
    });
    using nobody = socket(AF_INET, SOCK_DGRAM);
    await nobody.bind(['127.0.0.1', 0]);
    const address = nobody.getsockname();
    nobody.close();
    await client.connect(address);
    await client.send('anybody?');
    await assert.rejects(client.recv(10, { timeout: 5 }), { code: 'ECONNREFUSED', port: address[1] });
    // The error is told once; the socket goes on.
    await assert.rejects(client.recv(10, { timeout: 0.01 }), TimeoutError);
  });

  test('joins a multicast group', async () => {
    using server = socket(AF_INET, SOCK_DGRAM);
    server.setOptions({ reuseAddress: true });
    await server.bind(['239.255.7.7', 0]);
    server.addMembership('239.255.7.7', '127.0.0.1');
    using client = socket(AF_INET, SOCK_DGRAM);
    client.setOptions({ multicastTtl: 0, multicastLoop: true });
    client.setsockopt(0, 32, Buffer.from([127, 0, 0, 1]));
    await client.sendto('to all', server.getsockname());
    assert.equal(text((await server.recvfrom(100, { timeout: 5 }))[0]), 'to all');
    server.dropMembership('239.255.7.7', '127.0.0.1');
    await client.sendto('to nobody', server.getsockname());
    await assert.rejects(server.recv(100, { timeout: 0.02 }), TimeoutError);
  });

  test('broadcasts only when allowed', async () => {
    using client = socket(AF_INET, SOCK_DGRAM);
    await assert.rejects(client.sendto('x', ['<broadcast>', 9]), { code: /EACCES|ENETUNREACH/ });
    client.setOptions({ broadcast: true });
    assert.equal(client.getsockopt(1, 6), 1);
  });

  test('goes through a path, and waits for room at a slow receiver', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simul-dgram-'));
    const path = join(folder, 'server');
    using server = socket(AF_UNIX, SOCK_DGRAM);
    await server.bind(path);
    using client = socket(AF_UNIX, SOCK_DGRAM);
    await client.bind('\0simul-dgram-client');
    await client.sendto('hello', path);
    const [data, from] = await server.recvfrom(100);
    assert.deepEqual([text(data), from], ['hello', '\0simul-dgram-client']);
    await server.sendto('hi', from);
    assert.equal(text(await client.recv(100)), 'hi');
    const count = 2000;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await client.sendto(`${i}`, path);
    })();
    for (let i = 0; i < count; i++) assert.equal(text(await server.recv(100)), `${i}`);
    await sending;
    server.close();
    await assert.rejects(client.sendto('x', path), { code: 'ENOENT', address: path });
    rmSync(folder, { recursive: true });
  });

  test('sequenced packets keep messages apart and in order', async () => {
    const [a, b] = socketpair(SOCK_SEQPACKET);
    using _ = closing(a, b);
    await a.sendall('one');
    await a.sendall('two');
    assert.deepEqual([text(await b.recv(100)), text(await b.recv(100))], ['one', 'two']);
    a.close();
    assert.equal((await b.recv(100)).length, 0);
  });
});
