import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createTask, run } from '../../src/entry/asyncio.ts';
import { ClosedError, InvalidArgumentError, TimeoutError } from '../../src/entry/errors.ts';
import { createConnection, createServer } from '../../src/entry/socket.ts';
import type { InetSocket, ListenOptions } from '../../src/entry/socket.ts';
import { SSLError } from '../../src/entry/ssl.ts';
import { clientContext, fixtures, serverContext, text } from './connection.ts';

const wait = { timeout: 10 };

describe('a listening socket under TLS', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });
  const listen = (more: ListenOptions = {}): Promise<InetSocket> =>
    createServer(['127.0.0.1', 0], { ssl: serverContext(given.server), ...more });
  const connect = (listener: InetSocket): Promise<InetSocket> =>
    createConnection(listener.getsockname(), { ssl: clientContext(given.ca), serverHostname: 'localhost', ...wait });

  it('accepts connections whose handshake is through, past those that say nothing', async () => {
    using listener = await listen();
    using silent = await createConnection(listener.getsockname(), wait);
    for (let i = 0; i < 3; i++) {
      const [client, [connection, address]] = await Promise.all([connect(listener), listener.accept(wait)]);
      assert.equal(address[1], client.secured?.localPort);
      await client.sendall(`hello ${i}`, wait);
      assert.equal(text(await connection.recvExactly(7, wait)), `hello ${i}`);
      await connection.sendall('and back', wait);
      assert.equal(text(await client.recvExactly(8, wait)), 'and back');
      client.close();
      assert.equal((await connection.recv(1, wait)).length, 0);
      connection.close();
    }
    assert.equal(silent.closed, false);
  });

  it('keeps who has come while nobody accepts', async () => {
    using listener = await listen();
    const late = assert.rejects(listener.accept({ timeout: 0.01 }), TimeoutError);
    await late;
    const connecting = [connect(listener), connect(listener)];
    const first = await listener.accept(wait);
    const second = await listener.accept(wait);
    for (const [connection] of [first, second]) connection.close();
    for (const client of await Promise.all(connecting)) client.close();
    assert.equal(listener.tryAccept(), undefined);
  });

  it('tells of handshakes that fail, and goes on', async () => {
    const failed: [unknown, unknown][] = [];
    const heard = (error: unknown, address: unknown): void => void failed.push([error, address]);
    using listener = await listen({ onHandshakeError: heard });
    const accepting = listener.accept(wait);
    using plain = await createConnection(listener.getsockname(), wait);
    await plain.sendall('GET / HTTP/1.0\r\n\r\n');
    for await (const _ of plain);
    using client = await connect(listener);
    const [connection] = await accepting;
    connection.close();
    assert.equal((await client.recv(1, wait)).length, 0);
    assert.equal(failed.length, 1);
    const [error, address] = failed[0]!;
    assert.ok(error instanceof SSLError);
    assert.equal(error.reason, 'HTTP_REQUEST');
    assert.deepEqual(address, plain.getsockname());
  });

  it('gives a client no more time than was said', async () => {
    let heard: (error: unknown) => void;
    const failure = new Promise((resolve) => (heard = resolve));
    using listener = await listen({ sslHandshakeTimeout: 0.02, onHandshakeError: (error) => heard(error) });
    const accepting = assert.rejects(listener.accept(), ClosedError);
    using silent = await createConnection(listener.getsockname(), wait);
    assert.ok((await failure) instanceof TimeoutError);
    assert.equal((await silent.recv(1, wait)).length, 0);
    listener.close();
    await accepting;
    await assert.rejects(listen({ sslHandshakeTimeout: -1 }), InvalidArgumentError);
  });

  it('ends the handshakes under way, and what nobody took, when it is closed', async () => {
    const failed: unknown[] = [];
    using listener = await listen({ onHandshakeError: (error) => failed.push(error) });
    const accepting = listener.accept(wait);
    using silent = await createConnection(listener.getsockname(), wait);
    using taken = await connect(listener);
    const [connection] = await accepting;
    listener.close();
    assert.equal((await silent.recv(1, wait)).length, 0);
    connection.close();
    assert.equal((await taken.recv(1, wait)).length, 0);
    assert.deepEqual(failed, []);
  });

  it('finishes a handshake although the task that began it has ended', () =>
    run(async () => {
      using listener = await listen();
      const plain = await createConnection(listener.getsockname(), wait);
      const task = createTask(() => listener.accept(wait));
      await createTask(() => listener.accept({ timeout: 0.001 })).catch(() => {});
      task.cancel();
      // Not before: the handshake could be through, and its connection the task's.
      const other = createTask(() => plain.startTls(clientContext(given.ca), { serverHostname: 'localhost', ...wait }));
      const [connection] = await listener.accept(wait);
      await other;
      connection.close();
      assert.equal((await plain.recv(1, wait)).length, 0);
      plain.close();
    }));
});
