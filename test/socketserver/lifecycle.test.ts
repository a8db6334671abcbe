import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createTask, currentTask, run } from '../../src/entry/asyncio.ts';
import { InvalidStateError } from '../../src/entry/errors.ts';
import type { Address, InetAddress, InetSocket, Socket } from '../../src/entry/socket.ts';
import { AF_UNIX, createConnection, SHUT_WR, SOCK_DGRAM, socket } from '../../src/entry/socket.ts';
import type { ServerOptions } from '../../src/entry/socketserver.ts';
import {
  BaseRequestHandler,
  StreamRequestHandler,
  TCPServer,
  UnixDatagramServer,
  UnixStreamServer,
} from '../../src/entry/socketserver.ts';
import { ask } from './client.ts';
import { echo, Shout } from './handlers.ts';
import { openDescriptors } from '../support/descriptors.ts';

const anyPort: InetAddress = ['127.0.0.1', 0];

/** A handler that holds requests until they are let go. */
function gate() {
  const waiting: (() => void)[] = [];
  let arrived = (): void => {};
  const handler = async (connection: Socket): Promise<void> => {
    const data = await connection.recv(100);
    const held = new Promise<void>((resolve) => waiting.push(resolve));
    arrived();
    await held;
    await connection.sendall(`done ${data.toString()}`);
  };
  const until = async (count: number): Promise<void> => {
    while (waiting.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  };
  const open = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { handler, until, open };
}

describe('a server', () => {
  for (const style of ['async', 'sequential', 'threads'] as const) {
    test(`stopped under load loses no accepted request (${style})`, async () => {
      const server = new TCPServer(anyPort, echo, { style, workers: 2, backlog: 64 });
      await server.start();
      const address = server.serverAddress;
      let answered = 0;
      const refused: string[] = [];
      const client = async (): Promise<void> => {
        for (;;) {
          let connection: Socket;
          try {
            connection = await createConnection(address);
          } catch (error) {
            refused.push((error as { code: string }).code);
            return;
          }
          using open = connection;
          await open.sendall('request');
          open.shutdown(SHUT_WR);
          // The connection was made, so the answer must come.
          assert.equal((await open.recvExactly(7)).toString(), 'request');
          if (++answered === 300) stopping = server.shutdown();
        }
      };
      let stopping: Promise<void> | undefined;
      await Promise.all(Array.from({ length: 20 }, client));
      await stopping;
      assert.ok(answered >= 300);
      assert.deepEqual(new Set(refused), new Set(['ECONNREFUSED']));
    });
  }

  test('serves what waits in the backlog of a stop, and takes nobody else', async () => {
    const { handler, until, open } = gate();
    const server = new TCPServer(anyPort, handler, { maxClients: 1 });
    await server.start();
    const clients: InetSocket[] = [];
    for (let i = 0; i < 5; i++) {
      const client = await createConnection(server.serverAddress as InetAddress);
      await client.sendall(`${i}`);
      clients.push(client);
    }
    await until(1);
    assert.equal(server.running, 1);
    const stopping = server.shutdown();
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(createConnection(server.serverAddress), { code: 'ECONNREFUSED' });
    for (const [i, client] of clients.entries()) {
      open();
      assert.equal((await client.recv(100)).toString(), `done ${i}`);
      client.close();
      if (i < 4) await until(1);
    }
    await stopping;
    assert.equal(server.state, 'stopped');
  });

  test('serves no more than maxClients at once', async () => {
    const { handler, until, open } = gate();
    await using server = new TCPServer(anyPort, handler, { maxClients: 2 });
    await server.start();
    const answers = Array.from({ length: 4 }, (_, i) => ask(server.serverAddress, `${i}`));
    await until(2);
    assert.equal(server.running, 2);
    open();
    await until(2);
    open();
    assert.deepEqual((await Promise.all(answers)).sort(), ['done 0', 'done 1', 'done 2', 'done 3']);
  });

  test('stops before the start, twice, without grace; tells why', async () => {
    const never = new TCPServer(anyPort, echo);
    assert.throws(() => never.serverAddress, InvalidStateError);
    await never.shutdown();
    await assert.rejects(never.start(), { name: 'ClosedError' });
    const before = openDescriptors();
    const { handler, until } = gate();
    const errors: string[] = [];
    const server = new TCPServer(anyPort, handler, { onError: (error) => errors.push((error as Error).message) });
    await server.start();
    await server.start();
    const client = await createConnection(server.serverAddress);
    await client.sendall('x');
    await until(1);
    const first = server.shutdown({ why: 'enough' });
    await server.kill();
    await first;
    assert.equal((await server.stopped).why, 'enough');
    assert.equal((await client.recv(10)).length, 0);
    client.close();
    assert.deepEqual(errors, ['the server stopped before the request was done']);
    assert.equal(openDescriptors(), before);
  });

  test('does not start again', async () => {
    const server = new TCPServer(anyPort, echo);
    await server.start();
    await server.start();
    await server.shutdown();
    await assert.rejects(server.start(), { name: 'ClosedError', message: 'the server was stopped for good' });
    await assert.rejects(server.serveForever(), { name: 'ClosedError' });
  });

  test('serves until its signal is aborted', async () => {
    const controller = new AbortController();
    let ready!: (address: Address) => void;
    const address = new Promise<Address>((resolve) => (ready = resolve));
    const server = new TCPServer(anyPort, echo, { onReady: ready });
    const serving = server.serveForever({ signal: controller.signal });
    assert.equal(await ask(await address, 'x'), 'x');
    controller.abort();
    await serving;
    assert.match((await server.stopped).why, /signal/);
  });

  test('inside asyncio serves each request as a task, and ends with the loop', async () => {
    let server!: TCPServer;
    await run(async () => {
      server = new TCPServer(anyPort, async (connection: Socket) => {
        const inner = createTask(() => connection.recv(100));
        await connection.sendall(`${currentTask() !== undefined} ${String(await inner)}`);
      });
      await server.start();
      assert.equal(await ask(server.serverAddress, 'x'), 'true x');
    });
    await server.stopped;
    await assert.rejects(createConnection(server.serverAddress), { code: 'ECONNREFUSED' });
  });

  test('refuses whom verifyRequest refuses', async () => {
    let allowed = false;
    await using server = new TCPServer(anyPort, echo, { verifyRequest: async () => allowed });
    await server.start();
    using client = await createConnection(server.serverAddress);
    assert.equal((await client.recv(1)).length, 0);
    allowed = true;
    assert.equal(await ask(server.serverAddress, 'x'), 'x');
  });

  test('shares a port with another', async () => {
    const name = (own: string) => (connection: Socket) => connection.sendall(own);
    await using first = new TCPServer(anyPort, name('a'), { reusePort: true });
    await first.start();
    await using second = new TCPServer(first.serverAddress as InetAddress, name('b'), { reusePort: true });
    await second.start();
    const seen = new Set<string>();
    while (seen.size < 2) seen.add(await ask(first.serverAddress, 'x'));
    assert.deepEqual([...seen].sort(), ['a', 'b']);
  });

  test('goes on when a hook throws', async () => {
    const fail = (): never => {
      throw new Error('the hook is broken');
    };
    const written: string[] = [];
    class Quiet extends TCPServer {
      override handleError(error: unknown): void {
        written.push((error as Error).message);
        if (written.length === 1) fail();
      }
    }
    await using server = new Quiet(anyPort, fail);
    await server.start();
    for (let i = 0; i < 2; i++) assert.equal(await ask(server.serverAddress, 'x'), '');
    assert.deepEqual(written, ['the hook is broken', 'the hook is broken']);
  });

  test('on UNIX paths: streams and datagrams, files removed at the end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simul-server-'));
    const [streams, datagrams] = [join(folder, 'streams'), join(folder, 'datagrams')];
    const server = new UnixStreamServer(streams, echo);
    await server.start();
    assert.equal(await ask(streams, 'through a path'), 'through a path');
    const waiting = await createConnection(streams);
    await waiting.sendall('in the backlog');
    waiting.shutdown(SHUT_WR);
    await server.shutdown();
    assert.equal((await waiting.recv(100)).toString(), 'in the backlog');
    waiting.close();
    const other = new UnixDatagramServer(datagrams, Shout);
    await other.start();
    using client = socket(AF_UNIX, SOCK_DGRAM);
    await client.bind('\0simul-shout-client');
    await client.sendto('quiet', datagrams);
    assert.equal((await client.recv(100, { timeout: 10 })).toString(), 'QUIET');
    await other.shutdown();
    assert.deepEqual([existsSync(streams), existsSync(datagrams)], [false, false]);
    rmSync(folder, { recursive: true });
  });

  test('runs setup, handle and finish of a class, finish also after a failure', async () => {
    const steps: string[] = [];
    class Steps extends BaseRequestHandler<Socket> {
      override setup(): void {
        steps.push('setup');
      }
      override handle(): never {
        steps.push('handle');
        throw new Error('in handle');
      }
      override async finish(): Promise<void> {
        steps.push('finish');
        await this.request.sendall('bye');
      }
    }
    const options: ServerOptions = { onError: (error) => steps.push((error as Error).message) };
    await using server = new TCPServer(anyPort, Steps, options);
    await server.start();
    assert.equal(await ask(server.serverAddress, 'x'), 'bye');
    await server.shutdown();
    assert.deepEqual(steps, ['setup', 'handle', 'finish', 'in handle']);
  });

  test('serves lines with a stream handler, and aborts it when killed', async () => {
    class Lines extends StreamRequestHandler {
      override async handle(): Promise<void> {
        for await (const line of this.rfile) this.wfile.write(`> ${line.toString()}`);
      }
    }
    const server = new TCPServer(anyPort, Lines, { onError: () => {} });
    await server.start();
    using client = await createConnection(server.serverAddress);
    await client.sendall('one\ntwo\n');
    assert.equal((await client.recvExactly(12)).toString(), '> one\n> two\n');
    await server.kill();
    assert.equal((await client.recv(1)).length, 0);
  });
});
