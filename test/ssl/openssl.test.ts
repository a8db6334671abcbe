import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import type { InetSocket } from '../../src/entry/socket.ts';
import { createConnection, createServer } from '../../src/entry/socket.ts';
import type { SSLContext } from '../../src/entry/ssl.ts';
import { createDefaultContext, Purpose, SSLCertVerificationError, SSLError } from '../../src/entry/ssl.ts';
import { program } from '../../tools/programs.ts';
import { Running } from '../support/command.ts';
import { fixtures, text } from './connection.ts';
import { Folder } from './folder.ts';

const wait = { timeout: 20 };

describe('with programs of others', () => {
  const folder = new Folder();
  const running = new Set<ReturnType<typeof spawn>>();
  before(async () => {
    const { ca, server, client } = await fixtures();
    for (const [name, data] of Object.entries({
      'ca.pem': ca.cert,
      'server.pem': server.cert,
      'server.key': server.key,
      'client.pem': client.cert,
      'client.key': client.key,
    })) {
      folder.write(name, data);
    }
  });
  after(() => {
    for (const child of running) child.kill('SIGKILL');
    folder[Symbol.dispose]();
  });

  const start = (name: string, ...args: string[]): Running => {
    const child = spawn(program(name), args, { cwd: folder.path, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    child.on('exit', () => running.delete(child));
    child.stdin.end('GET / HTTP/1.0\r\n\r\n');
    return new Running(child);
  };

  const serving = (mutual: boolean): SSLContext =>
    createDefaultContext({
      purpose: Purpose.CLIENT_AUTH,
      cert: folder.at('server.pem'),
      keyfile: folder.at('server.key'),
      cafile: mutual ? folder.at('ca.pem') : undefined,
    });

  /** Serves one client after another until `listener` is closed; what a client did wrong does not end it. */
  async function answer(listener: InetSocket, context: SSLContext, errors: unknown[]): Promise<void> {
    for (;;) {
      const [plain] = await listener.accept();
      try {
        await using client = await context.wrapSocket(plain, wait);
        const request = text(await client.recv(1000, wait));
        const who = client.getpeercert()?.subject['CN'] ?? 'anonymous';
        await client.sendall(`HTTP/1.0 200 OK\r\nContent-Length: ${who.length + 1}\r\n\r\n${String(who)}\n`, wait);
        if (!request.startsWith('GET')) errors.push(request);
        await client.unwrap(wait);
      } catch (error) {
        errors.push(error);
      }
    }
  }

  async function withServer(mutual: boolean, act: (port: number, errors: unknown[]) => Promise<void>): Promise<void> {
    const listener = await createServer(['127.0.0.1', 0]);
    const errors: unknown[] = [];
    const over = assert.rejects(answer(listener, serving(mutual), errors), { name: 'ClosedError' });
    await act(listener.getsockname()[1], errors);
    listener.close();
    await over;
  }

  it('serves openssl s_client', () =>
    withServer(false, async (port) => {
      const args = `s_client -connect 127.0.0.1:${port} -CAfile ca.pem -verify_return_error -verify_hostname localhost`;
      const client = start('openssl', ...args.split(' '), '-servername', 'localhost', '-ign_eof');
      const { code, stdout } = await client.ended;
      assert.equal(code, 0, stdout);
      assert.match(stdout, /Verify return code: 0 \(ok\)/);
      assert.match(stdout, /TLSv1\.3/);
      assert.match(stdout, /\r\n\r\nanonymous\n/);
    }));

  it('serves curl, and goes on after those that fail', () =>
    withServer(true, async (port, errors) => {
      const url = `https://localhost:${port}/`;
      const curl = (...args: string[]) =>
        start('curl', '-sS', '--http1.0', '--noproxy', '*', '--resolve', `localhost:${port}:127.0.0.1`, ...args).ended;
      const ours = ['--cacert', 'ca.pem', '--cert', 'client.pem', '--key', 'client.key'];
      assert.deepEqual(await curl(...ours, url), { code: 0, signal: null, stdout: 'alice\n', stderr: '' });
      assert.equal((await curl('--cacert', 'ca.pem', url)).code, 56, 'no certificate of its own');
      assert.equal((await curl(url)).code, 60, 'an authority that curl does not know');
      assert.notEqual((await curl(url.replace('https', 'http'))).code, 0, 'plain HTTP');
      assert.equal((await curl(...ours, url)).stdout, 'alice\n');
      assert.equal(errors.length, 3, errors.join('\n'));
      assert.ok(errors.every((error) => error instanceof SSLError));
      assert.deepEqual(
        errors.map(({ reason }) => reason),
        ['PEER_DID_NOT_RETURN_A_CERTIFICATE', 'TLSV1_ALERT_UNKNOWN_CA', 'HTTP_REQUEST'],
      );
    }));

  async function opensslServer(...args: string[]): Promise<[server: Running, port: number]> {
    const given = '-cert server.pem -key server.key -CAfile ca.pem -accept 127.0.0.1:0 -naccept 2';
    const server = start('openssl', 's_server', ...given.split(' '), ...args);
    await server.says(/ACCEPT .*:\d+\n/);
    return [server, Number(/ACCEPT .*:(\d+)\n/.exec(server.stdout)![1])];
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is a client of openssl s_server (${version})`, async () => {
      const [server, port] = await opensslServer(
        '-rev',
        '-Verify',
        '1',
        '-verify_return_error',
        `-${version === 'TLSv1.2' ? 'tls1_2' : 'tls1_3'}`,
      );
      const context = createDefaultContext({
        cafile: folder.at('ca.pem'),
        cert: folder.at('client.pem'),
        keyfile: folder.at('client.key'),
      });
      const client = await context.wrapSocket(await createConnection(['127.0.0.1', port], wait), {
        serverHostname: 'localhost',
        ...wait,
      });
      assert.equal(client.version(), version);
      await client.sendall('stressed\n');
      assert.equal(text(await client.recvExactly(9, wait)), 'desserts\n');
      client.close();
      const wrong = context.wrapSocket(await createConnection(['127.0.0.1', port], wait), {
        serverHostname: 'x.example',
      });
      await assert.rejects(wrong, SSLCertVerificationError);
      await server.ended;
      assert.match(server.stdout + server.stderr, /CN = alice/);
    });
  }
});
