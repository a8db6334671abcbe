import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { UnsupportedError } from '../../src/entry/errors.ts';
import { forkFlags } from '../../src/entry/os.ts';
import type { Address, InetAddress } from '../../src/entry/socket.ts';
import { AF_INET, createConnection, SHUT_WR, SOCK_DGRAM, socket } from '../../src/entry/socket.ts';
import { TCPServer } from '../../src/entry/socketserver.ts';
import { ask } from './client.ts';
import { echo } from './handlers.ts';

const path = fileURLToPath(new URL('../fixtures/socketserver/forking.js', import.meta.url));

class Forking {
  readonly lines: string[] = [];
  readonly #child;
  readonly #closed;

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [...forkFlags, path, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#closed = once(this.#child, 'close');
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async address(): Promise<Address> {
    const reader = createInterface(this.#child.stdout);
    reader.on('line', (line) => this.lines.push(line));
    const [line] = (await once(reader, 'line')) as [string];
    return JSON.parse(line.slice('ready '.length)) as Address;
  }

  async stop(): Promise<string[]> {
    this.#child.kill('SIGTERM');
    await this.#closed;
    return this.lines.slice(1);
  }
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
  return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
}

describe('style fork', () => {
  test('a child for every client, finishes what was accepted', async () => {
    const server = new Forking('tcp');
    const address = await server.address();
    const pids = await Promise.all(Array.from({ length: 6 }, () => ask(address, 'who')));
    assert.equal(new Set([...pids, `${server.pid}`]).size, 7);
    assert.equal(await ask(address, 'boom'), '');
    const last = await createConnection(address);
    await last.sendall('accepted');
    const stopped = server.stop();
    assert.equal((await last.recv(100)).toString(), 'accepted');
    last.shutdown(SHUT_WR);
    assert.equal((await last.recv(100)).length, 0);
    last.close();
    const [error, ...rest] = await stopped;
    assert.match(error!, /^error process \d+, which served 127.0.0.1:\d+, exited with code 1$/);
    assert.deepEqual(rest, ['stopped']);
  });

  test('a child for each of those that come in one turn, and none of a child', async () => {
    const server = new Forking('tcp');
    const address = await server.address();
    const clients = await Promise.all(Array.from({ length: 5 }, () => createConnection(address)));
    // Each is served before the first of them is done.
    const answers = clients.map(async (client) => {
      await client.sendall('who');
      return (await client.recv(100, { timeout: 20 })).toString();
    });
    const pids = await Promise.all(answers);
    assert.deepEqual(new Set(pids.map(Number)), new Set(descendants(server.pid)));
    for (const client of clients) {
      client.shutdown(SHUT_WR);
      assert.equal((await client.recv(100, { timeout: 20 })).length, 0, 'no other child holds it open');
      client.close();
    }
    assert.deepEqual(await server.stop(), ['stopped']);
  });

  test("a child whose time is over is ended, and its place is the next client's", async () => {
    const server = new Forking('limited');
    const address = await server.address();
    const clients = await Promise.all(Array.from({ length: 4 }, () => createConnection(address)));
    for (const client of clients) {
      assert.equal((await client.recv(100, { timeout: 20 })).toString(), 'here');
      assert.equal((await client.recv(100, { timeout: 20 })).length, 0);
      client.close();
    }
    const lines = await server.stop();
    assert.equal(lines.length, 5);
    for (const line of lines.slice(0, 4))
      assert.match(line, /^error the request of 127.0.0.1:\d+ took more than 0.3 s$/);
  });

  test('serves HTTP, a UNIX path and datagrams', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simul-forking-'));
    const file = join(folder, 'socket');
    const [web, unix, udp] = [new Forking('http'), new Forking('unix', file), new Forking('udp')];
    assert.match(await ask(await web.address(), 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1.0 200 OK/);
    const address = await unix.address();
    assert.equal(await ask(address, 'one'), 'one');
    assert.equal(existsSync(file), true);
    assert.equal(await ask(address, 'two'), 'two');
    using client = socket(AF_INET, SOCK_DGRAM);
    await client.sendto('data', (await udp.address()) as InetAddress);
    assert.equal((await client.recv(100, { timeout: 10 })).toString(), 'data!');
    for (const server of [web, unix, udp]) assert.deepEqual(await server.stop(), ['stopped']);
    assert.equal(existsSync(file), false);
    rmSync(folder, { recursive: true });
  });

  test('is refused, with the remedy, where node was not started for it', async () => {
    const server = new TCPServer(['127.0.0.1', 0], echo, { style: 'fork' });
    await assert.rejects(server.start(), (error) => {
      assert.ok(error instanceof UnsupportedError);
      return /run the program by "simul run SCRIPT"/.test(error.message);
    });
  });
});
