import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  AF_INET,
  AF_UNIX,
  createConnection,
  createServer,
  sendFds,
  SHUT_WR,
  SOCK_DGRAM,
  socket,
} from '../../src/entry/socket.ts';
import { program } from '../../tools/programs.ts';

const script = fileURLToPath(new URL('../../../test/fixtures/socket/peer.py', import.meta.url));
const size = 3_000_000 - (3_000_000 % 256);

/** A Python program on the other side. */
class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;

  constructor(...args: string[]) {
    this.#child = spawn(program('python3'), ['-B', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#lines = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    assert.notEqual(done, true, 'the Python side ended');
    return value as string;
  }

  async result(): Promise<unknown> {
    return JSON.parse(await this.line());
  }

  async end(): Promise<void> {
    await this.#closed;
    assert.equal(this.#child.exitCode, 0);
  }
}

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'simul-python-'))));
after(() => rmSync(folder, { recursive: true }));

describe('with Python on the other side', () => {
  test('its socket is the client: everything comes back unchanged', async () => {
    using server = await createServer(['127.0.0.1', 0]);
    const peer = new Peer('tcp_client', '127.0.0.1', `${server.getsockname()[1]}`, `${size}`);
    const [connection] = await server.accept({ timeout: 30 });
    const sum = createHash('sha256');
    for await (const piece of connection) {
      sum.update(piece);
      await connection.sendall(piece);
    }
    connection.shutdown(SHUT_WR);
    const digest = sum.digest('hex');
    assert.deepEqual(await peer.result(), [digest, digest]);
    connection.close();
    await peer.end();
  });

  test('its socket is the server', async () => {
    const peer = new Peer('tcp_server');
    using client = await createConnection(['127.0.0.1', Number(await peer.line())]);
    const data = Buffer.alloc(size, 'data');
    const sending = client.sendall(data).then(() => client.shutdown(SHUT_WR));
    assert.equal((await client.recvExactly(size)).equals(data), true);
    await sending;
    assert.equal((await client.recv(1)).length, 0);
    assert.deepEqual(await peer.result(), [size, '127.0.0.1']);
    await peer.end();
  });

  test('datagrams, both directions', async () => {
    const theirs = new Peer('udp_server');
    using client = socket(AF_INET, SOCK_DGRAM);
    await client.sendto('shout', ['127.0.0.1', Number(await theirs.line())]);
    assert.equal((await client.recv(100, { timeout: 20 })).toString(), 'SHOUT');
    await theirs.end();
    using server = socket(AF_INET, SOCK_DGRAM);
    await server.bind(['127.0.0.1', 0]);
    const peer = new Peer('udp_client', '127.0.0.1', `${server.getsockname()[1]}`);
    const [data, from] = await server.recvfrom(100, { timeout: 30 });
    await server.sendto(`${data.toString()} pong`, from);
    assert.equal(await peer.result(), 'ping pong');
    await peer.end();
  });

  test('UNIX sockets: a stream, datagrams with an abstract name, a descriptor', async () => {
    const path = join(folder, 'theirs');
    const theirs = new Peer('unix_server', path);
    assert.equal(await theirs.line(), 'ready');
    using client = await createConnection(path);
    await client.sendall('abc');
    assert.equal((await client.recv(100)).toString(), 'cba');
    await theirs.end();

    using server = socket(AF_UNIX, SOCK_DGRAM);
    await server.bind(join(folder, 'datagrams'));
    const peer = new Peer('unix_datagram', join(folder, 'datagrams'));
    const [data, from] = await server.recvfrom(100, { timeout: 30 });
    assert.deepEqual([data.toString(), from], ['hello', '\0simul-python-peer']);
    await server.sendto('welcome', from);
    assert.equal(await peer.result(), 'welcome');
    await peer.end();

    using channels = await createServer(join(folder, 'channel'));
    const taker = new Peer('receive_fd', join(folder, 'channel'));
    const [channel] = await channels.accept({ timeout: 30 });
    using listener = await createServer(['127.0.0.1', 0]);
    using outside = await createConnection(listener.getsockname());
    const [inside] = await listener.accept();
    await sendFds(channel, 'take it', [inside.fileno()]);
    inside.close();
    channel.close();
    assert.equal((await outside.recv(100)).toString(), 'from python: take it');
    assert.equal(await taker.result(), 1);
    await taker.end();
  });

  test('its asyncio, both directions', async () => {
    using server = await createServer(['127.0.0.1', 0]);
    const peer = new Peer('asyncio_clients', '127.0.0.1', `${server.getsockname()[1]}`, '50');
    const serving = Array.from({ length: 50 }, async () => {
      const [connection] = await server.accept({ timeout: 30 });
      const [reader, writer] = connection.makeStreams();
      writer.write(`hello ${String(await reader.readline())}`);
      writer.close();
      await writer.waitClosed();
    });
    assert.deepEqual(
      await peer.result(),
      Array.from({ length: 50 }, (_, i) => `hello client ${i}`),
    );
    await Promise.all(serving);
    await peer.end();
    const theirs = new Peer('asyncio_server');
    using client = await createConnection(['127.0.0.1', Number(await theirs.line())]);
    await client.sendall('one\ntwo\n');
    client.shutdown(SHUT_WR);
    const pieces: Buffer[] = [];
    for await (const piece of client) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), 'ONE\nTWO\n');
    await theirs.end();
  });
});
