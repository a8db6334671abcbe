import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Address, InetAddress } from '../../src/entry/socket.ts';
import type { StyleName } from '../../src/entry/socketserver.ts';
import { TCPServer } from '../../src/entry/socketserver.ts';
import { onPath, program } from '../../tools/programs.ts';
import { echo, http } from './handlers.ts';

const execute = promisify(execFile);
const peer = fileURLToPath(new URL('../../../test/fixtures/socket/peer.py', import.meta.url));
const styles: readonly StyleName[] = ['async', 'sequential', 'threads', 'processes'];
const port = (address: Address): string => `${(address as InetAddress)[1]}`;

describe('programs of others as clients', () => {
  for (const style of styles) {
    test(`Python's asyncio and socket against style ${style}`, async () => {
      await using server = new TCPServer(['127.0.0.1', 0], echo, { style, workers: 2, startMethod: 'forkserver' });
      await server.start();
      const python = program('python3');
      const where = ['127.0.0.1', port(server.serverAddress)];
      const many = await execute(python, ['-B', peer, 'asyncio_clients', ...where, '40']);
      assert.deepEqual(
        JSON.parse(many.stdout),
        Array.from({ length: 40 }, (_, i) => `client ${i}`),
      );
      const large = await execute(python, ['-B', peer, 'tcp_client', ...where, '2560000']);
      const [sent, received] = JSON.parse(large.stdout) as [string, string];
      assert.equal(received, sent);
    });

    test(`curl against style ${style}`, { skip: onPath('curl') === undefined && 'curl is not here' }, async () => {
      await using server = new TCPServer(['127.0.0.1', 0], http, { style, workers: 2, startMethod: 'forkserver' });
      await server.start();
      const url = `http://127.0.0.1:${port(server.serverAddress)}/page`;
      const { stdout } = await execute('curl', ['--silent', '--show-error', '--noproxy', '*', url]);
      assert.match(stdout, /^GET \/page from \d+\n$/);
    });
  }

  for (const [name, args] of [
    ['nc', ['-N', '127.0.0.1']],
    ['socat', ['-', 'TCP:127.0.0.1:']],
  ] as const) {
    test(`${name} as the client`, { skip: onPath(name) === undefined && `${name} is not here` }, async () => {
      await using server = new TCPServer(['127.0.0.1', 0], echo);
      await server.start();
      const where = port(server.serverAddress);
      const all = name === 'nc' ? [...args, where] : [args[0], `${args[1]}${where}`];
      const child = execute(name, all);
      child.child.stdin!.end('hello\n');
      assert.equal((await child).stdout, 'hello\n');
    });
  }
});
