import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InetAddress } from '../../src/entry/socket.ts';
import { AF_INET, createConnection, SHUT_WR, SOCK_DGRAM, socket } from '../../src/entry/socket.ts';
import type { ServerOptions, StyleName } from '../../src/entry/socketserver.ts';
import { TCPServer, UDPServer } from '../../src/entry/socketserver.ts';
import { ask } from './client.ts';
import { answer, echo, http, stubborn } from './handlers.ts';
import { openDescriptors } from '../support/descriptors.ts';

// Style fork needs a program of its own: fork.test.ts.
const styles: readonly [StyleName, ServerOptions][] = [
  ['async', {}],
  ['sequential', {}],
  ['threads', { workers: 2 }],
  ['process', { startMethod: 'forkserver' }],
  ['processes', { workers: 2 }],
  ['subprocess', {}],
];

for (const [style, more] of styles) {
  const program = style === 'subprocess';
  const elsewhere = style.startsWith('process');

  describe(`style ${style}`, () => {
    test('echoes, goes on after a handler that throws, finishes what was accepted, leaves nothing', async () => {
      // What the first server of a process leaves for good (libuv's pipe for children) does not count.
      await using first = new TCPServer(['127.0.0.1', 0], program ? ['cat'] : echo, { style, ...more });
      await first.start();
      await ask(first.serverAddress, 'x');
      await first.shutdown();
      const before = openDescriptors();
      const errors: string[] = [];
      const options = { style, ...more, onError: (error: unknown) => errors.push((error as Error).message) };
      await using server = new TCPServer(['127.0.0.1', 0], program ? ['cat'] : echo, options);
      await server.start();
      const address = server.serverAddress;
      assert.equal(await ask(address, 'hello'), 'hello');
      if (program) assert.equal(await ask(address, 'boom'), 'boom');
      else assert.equal(await ask(address, 'boom'), '');
      const many = Array.from({ length: 10 }, (_, i) => `client ${i}`);
      assert.deepEqual(await Promise.all(many.map((each) => ask(address, each))), many);
      if (elsewhere) assert.notEqual(await ask(address, 'who'), `${process.pid}`);
      const last = await createConnection(address);
      await last.sendall('accepted');
      last.shutdown(SHUT_WR);
      await server.shutdown();
      assert.equal((await last.recv(100)).toString(), 'accepted');
      last.close();
      await assert.rejects(createConnection(address), { code: 'ECONNREFUSED' });
      assert.deepEqual(errors, program ? [] : ['boom']);
      assert.equal(openDescriptors(), before);
    });

    if (!program) {
      test('serves HTTP with a handler class', async () => {
        await using server = new TCPServer(['127.0.0.1', 0], http, { style, ...more });
        await server.start();
        using client = await createConnection(server.serverAddress);
        await client.sendall('GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n');
        const pieces: Buffer[] = [];
        for await (const piece of client) pieces.push(piece);
        assert.match(Buffer.concat(pieces).toString(), /^HTTP\/1.0 200 OK\r\n[^]*\r\n\r\nGET \/x from \d+\n$/);
      });

      test('gives a request up when its time is over, and what still runs when the grace is', async () => {
        const errors: string[] = [];
        const onError = (error: unknown) => errors.push((error as Error).name);
        await using limited = new TCPServer(['127.0.0.1', 0], stubborn, {
          style,
          ...more,
          requestTimeout: 0.5,
          onError,
        });
        await limited.start();
        using client = await createConnection(limited.serverAddress);
        // Up to its end, whatever the handler had said by then.
        for await (const piece of client) assert.equal(piece.toString(), 'here');
        await limited.shutdown();
        await using server = new TCPServer(['127.0.0.1', 0], stubborn, { style, ...more, grace: 0.05, onError });
        await server.start();
        using other = await createConnection(server.serverAddress);
        assert.equal((await other.recv(4, { timeout: 10 })).toString(), 'here');
        await server.shutdown();
        assert.equal((await other.recv(4, { timeout: 10 })).length, 0);
        assert.deepEqual(errors, ['TimeoutError', 'CancelledError']);
      });

      test('answers datagrams', async () => {
        await using server = new UDPServer(['127.0.0.1', 0], answer, { style, ...more });
        await server.start();
        using client = socket(AF_INET, SOCK_DGRAM);
        for (let i = 0; i < 5; i++) await client.sendto(`${i}`, server.serverAddress as InetAddress);
        const got: string[] = [];
        while (got.length < 5) got.push((await client.recv(100, { timeout: 20 })).toString());
        assert.deepEqual(got.sort(), ['0!', '1!', '2!', '3!', '4!']);
        if (elsewhere) {
          await client.sendto('who', server.serverAddress as InetAddress);
          assert.notEqual((await client.recv(100, { timeout: 20 })).toString(), `${process.pid}`);
        }
      });
    }
  });
}
