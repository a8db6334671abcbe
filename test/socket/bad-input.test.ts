import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ClosedError, InvalidArgumentError, SystemError } from '../../src/entry/errors.ts';
import type { InetAddress } from '../../src/entry/socket.ts';
import {
  AF_INET,
  AF_INET6,
  createConnection,
  createServer,
  getaddrinfo,
  SOCK_DGRAM,
  socket,
  SocketError,
  TimeoutError,
} from '../../src/entry/socket.ts';

describe('bad input', () => {
  test('a port that is taken: the error has address, port and reason; the holder goes on', async () => {
    using server = await createServer(['127.0.0.1', 0]);
    const address = server.getsockname();
    await assert.rejects(createServer(address), (error) => {
      assert.ok(error instanceof SocketError && error instanceof SystemError);
      assert.equal(error.message, `EADDRINUSE: address already in use, bind '127.0.0.1:${address[1]}'`);
      assert.deepEqual([error.code, error.address, error.port], ['EADDRINUSE', ...address]);
      return true;
    });
    using _ = await createConnection(address);
    (await server.accept())[0].close();
  });

  test('a port out of range, an address that is none', async () => {
    using client = socket();
    for (const port of [-1, 65_536, 1.5, Number.NaN, '80' as unknown as number]) {
      await assert.rejects(client.connect(['127.0.0.1', port]), {
        name: 'InvalidArgumentError',
        message: /port: expected a port number from 0 to 65535, received/,
      });
      await assert.rejects(createServer(['127.0.0.1', port]), InvalidArgumentError);
    }
    for (const address of ['host', {}, [], ['host'], [1, 2]]) {
      await assert.rejects(client.bind(address as unknown as InetAddress), InvalidArgumentError);
    }
    await assert.rejects(createConnection(['127.0.0.1', 0]), InvalidArgumentError);
    assert.throws(() => socket(77 as typeof AF_INET), InvalidArgumentError);
    assert.throws(() => socket(AF_INET, 9 as typeof SOCK_DGRAM), InvalidArgumentError);
    assert.throws(() => socket(AF_INET, undefined, { fileno: -1 }), InvalidArgumentError);
    assert.throws(() => client.listen(-1), InvalidArgumentError);
    assert.throws(() => client.recv(-1), InvalidArgumentError);
    assert.throws(() => client.sendall(5 as unknown as string), InvalidArgumentError);
    assert.throws(() => client.settimeout(-1), InvalidArgumentError);
  });

  test('an address of another family, an abstract name that is no bytes', async () => {
    const foreign = { name: 'SocketError', code: 'EAFNOSUPPORT', address: '::1', port: 80 };
    using datagrams = socket(AF_INET, SOCK_DGRAM);
    await assert.rejects(datagrams.sendto('x', ['::1', 80]), foreign);
    using stream = socket();
    await assert.rejects(stream.connect(['::1', 80]), foreign);
    await assert.rejects(getaddrinfo('127.0.0.1', 80, { family: AF_INET6 }), { code: 'EAFNOSUPPORT' });
    await assert.rejects(createServer('\0snow ☃'), /path: expected a name of characters up to U\+00FF/);
  });

  test('a second connection on one socket', async () => {
    using server = await createServer(['127.0.0.1', 0]);
    using client = await createConnection(server.getsockname());
    await assert.rejects(client.connect(server.getsockname()), { code: 'EISCONN', address: '127.0.0.1' });
    await assert.rejects(client.connect(['127.0.0.1', 9]), { code: 'EISCONN', port: 9 });
    assert.deepEqual(client.getpeername(), server.getsockname());
  });

  test('a host that does not resolve', async () => {
    const unknown = { code: 'ENOTFOUND', syscall: 'getaddrinfo', address: 'nobody.invalid', port: 80 };
    await assert.rejects(createConnection(['nobody.invalid', 80]), unknown);
    await assert.rejects(createServer(['nobody.invalid', 80]), unknown);
    await assert.rejects(getaddrinfo('nobody.invalid', 80), unknown);
    using datagrams = socket(AF_INET, SOCK_DGRAM);
    await assert.rejects(datagrams.sendto('x', ['nobody.invalid', 80]), unknown);
  });

  test('a connection that is refused, or not answered in time', async () => {
    using free = await createServer(['127.0.0.1', 0]);
    const address = free.getsockname();
    free.close();
    await assert.rejects(createConnection(address), (error) => {
      assert.ok(error instanceof SocketError);
      return error.message === `ECONNREFUSED: connection refused, connect '127.0.0.1:${address[1]}'`;
    });
    // With the backlog full the kernel lets further connections hang.
    using full = await createServer(['127.0.0.1', 0], { backlog: 0 });
    const clients = await Promise.allSettled(
      Array.from({ length: 4 }, () => createConnection(full.getsockname(), { timeout: 0.1 })),
    );
    const late = clients.filter((each) => each.status === 'rejected').map((each) => each.reason as Error);
    assert.ok(late.length > 0);
    for (const error of late) {
      assert.ok(error instanceof TimeoutError);
      assert.equal(
        error.message,
        `waiting for a connection to 127.0.0.1:${full.getsockname()[1]} timed out after 0.1 s`,
      );
    }
    for (const each of clients) if (each.status === 'fulfilled') each.value.close();
  });

  test('use after close', async () => {
    const closed = socket();
    closed.close();
    await assert.rejects(closed.sendall('x'), ClosedError);
    await assert.rejects(closed.connect(['127.0.0.1', 80]), ClosedError);
    await assert.rejects(closed.accept(), ClosedError);
    assert.throws(() => closed.listen(), ClosedError);
    assert.throws(() => closed.setOptions({ noDelay: true }), ClosedError);
  });

  test('leaves no descriptor behind', async () => {
    const before = readdirSync('/proc/self/fd').length;
    await assert.rejects(createConnection(['127.0.0.1', 1]));
    await assert.rejects(createServer(['192.0.2.1', 0]), { code: 'EADDRNOTAVAIL' });
    await assert.rejects(createServer(['nobody.invalid', 1]));
    await assert.rejects(createConnection('/nowhere/at/all'), { code: 'ENOENT' });
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});
