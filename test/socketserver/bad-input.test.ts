import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidArgumentError, NotFoundError } from '../../src/entry/errors.ts';
import { fromModule } from '../../src/entry/callable.ts';
import type { InetAddress, SecurityContext, Socket } from '../../src/entry/socket.ts';
import { SocketError } from '../../src/entry/socket.ts';
import { TCPServer, UDPServer } from '../../src/entry/socketserver.ts';
import { ask } from './client.ts';
import { echo } from './handlers.ts';

const anyPort: InetAddress = ['127.0.0.1', 0];

describe('bad input to a server', () => {
  test('options that are none', () => {
    const bad: [object, RegExp][] = [
      [{ style: 'green' }, /style: expected async, sequential, fork, .*received "green"/],
      [{ maxClients: 0 }, /maxClients: expected a whole number, 1 or more, received 0/],
      [{ workers: 1.5 }, /workers: expected a whole number/],
      [{ backlog: -1 }, /backlog: expected a whole number, 0 or more/],
      [{ grace: -1 }, /grace: expected a number of seconds/],
      [{ requestTimeout: Number.NaN }, /requestTimeout/],
      [{ style: 'process', startMethod: 'green' }, /method: expected spawn, forkserver, fork/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => new TCPServer(anyPort, echo, options), message);
    }
    assert.throws(() => new TCPServer(anyPort, 'cat' as never), InvalidArgumentError);
    const context: SecurityContext = { wrapSocket: () => Promise.reject(new Error('no')) };
    assert.throws(
      () => new TCPServer(anyPort, ['cat'], { style: 'subprocess', ssl: context }),
      /the program has the connection/,
    );
    assert.throws(() => new UDPServer(anyPort, () => {}, { ssl: context }), /ssl: expected nothing for datagrams/);
  });

  test('a port that is taken; the holder goes on', async () => {
    await using server = new TCPServer(anyPort, echo);
    await server.start();
    const second = new TCPServer(server.serverAddress as InetAddress, echo);
    await assert.rejects(second.start(), (error) => {
      assert.ok(error instanceof SocketError);
      return error.code === 'EADDRINUSE' && error.port === (server.serverAddress as InetAddress)[1];
    });
    assert.equal(second.state, 'stopped');
    assert.equal(await ask(server.serverAddress, 'x'), 'x');
  });

  test('a handler that cannot cross, or whose module is not there: told at the start', async () => {
    let count = 0;
    const closure = (connection: Socket) => connection.sendall(`${++count}`);
    for (const style of ['threads', 'processes'] as const) {
      const missing = fromModule(new URL('./handlers.js', import.meta.url), 'nothing');
      await assert.rejects(new TCPServer(anyPort, missing, { style, workers: 1 }).start(), NotFoundError);
      const bound = closure.bind(undefined);
      await assert.rejects(new TCPServer(anyPort, bound, { style }).start(), InvalidArgumentError);
    }
    const context: SecurityContext = { wrapSocket: () => Promise.reject(new Error('no')) };
    await assert.rejects(
      new TCPServer(anyPort, echo, { style: 'threads', ssl: context }).start(),
      /a portable function/,
    );
  });

  test('a command that is none, datagrams for a program', async () => {
    await assert.rejects(new TCPServer(anyPort, echo, { style: 'subprocess' }).start(), /handler: expected a command/);
    await assert.rejects(new UDPServer(anyPort, ['cat'], { style: 'subprocess' }).start(), /datagrams/);
    const errors: unknown[] = [];
    const command = ['no-such-program-anywhere'];
    await using server = new TCPServer(anyPort, command, {
      style: 'subprocess',
      onError: (error) => errors.push(error),
    });
    await server.start();
    assert.equal(await ask(server.serverAddress, 'x').catch(() => ''), '');
    await server.shutdown();
    assert.deepEqual((errors[0] as { code: string }).code, 'ENOENT');
  });

  test('a handshake that fails: the client is gone, the server goes on', async () => {
    let bad = true;
    const context: SecurityContext = {
      wrapSocket: async (transport) => {
        if (!bad) return transport as never;
        transport.destroy();
        throw new Error('no TLS client');
      },
    };
    const errors: string[] = [];
    await using server = new TCPServer(anyPort, echo, {
      ssl: context,
      onError: (error) => errors.push((error as Error).message),
    });
    await server.start();
    assert.equal(await ask(server.serverAddress, 'plain').catch(() => ''), '');
    bad = false;
    assert.equal(await ask(server.serverAddress, 'secure'), 'secure');
    assert.deepEqual(errors, ['no TLS client']);
  });
});
