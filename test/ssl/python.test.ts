import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openConnection, run, startServer } from '../../src/entry/asyncio.ts';
import { createConnection, createServer } from '../../src/entry/socket.ts';
import type { SSLContext } from '../../src/entry/ssl.ts';
import { createDefaultContext, Purpose, SSLCertVerificationError } from '../../src/entry/ssl.ts';
import { program } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';
import { Running } from '../support/command.ts';
import { fixtures, text } from './connection.ts';
import { Folder } from './folder.ts';

const wait = { timeout: 30 };
const payload = randomBytes(1_000_000);

describe('with Python’s ssl', () => {
  const folder = new Folder();
  before(async () => {
    const { ca, server, client } = await fixtures();
    folder.write('ca.pem', ca.cert);
    folder.write('server.pem', server.cert);
    folder.write('server.key', server.key);
    folder.write('client.pem', client.cert);
    folder.write('client.key', client.key);
  });
  after(() => folder[Symbol.dispose]());

  const python = (mode: string, ...args: string[]): Running => {
    const script = join(repository, 'test/ssl/peer.py');
    const argv = ['-B', script, mode, folder.path, ...args];
    return new Running(spawn(program('python3'), argv, { stdio: ['ignore', 'pipe', 'pipe'] }));
  };
  const context = (purpose: Purpose, name: string): SSLContext =>
    createDefaultContext({
      purpose,
      cafile: folder.at('ca.pem'),
      cert: folder.at(`${name}.pem`),
      keyfile: folder.at(`${name}.key`),
    });

  it('talks to a server of Python', async () => {
    const server = python('server');
    try {
      await server.says(/\d+\n/);
      const port = Number.parseInt(server.stdout, 10);
      const ours = context(Purpose.SERVER_AUTH, 'client');
      ours.setAlpnProtocols(['other', 'echo']);
      const plain = await createConnection(['127.0.0.1', port], wait);
      const client = await ours.wrapSocket(plain, { serverHostname: 'localhost', ...wait });
      const greeting = 'TLSv1.3 echo alice\n';
      assert.equal(text(await client.recvExactly(greeting.length, wait)), greeting);
      const sending = client.sendall(payload, wait);
      assert.deepEqual(await client.recvExactly(payload.length, wait), payload);
      await sending;
      await client.unwrap(wait);
      await server.says(/served\n/);
      const other = await createConnection(['127.0.0.1', port], wait);
      await assert.rejects(ours.wrapSocket(other, { serverHostname: 'elsewhere', ...wait }), SSLCertVerificationError);
      await run(async () => {
        const ssl = context(Purpose.SERVER_AUTH, 'client');
        const [reader, writer] = await openConnection('localhost', port, { ssl, ...wait });
        assert.equal(text(await reader.readline(wait)), 'TLSv1.3 None alice\n');
        writer.write('streams too\n');
        assert.equal(text(await reader.readline(wait)), 'streams too\n');
        writer.close();
      });
    } finally {
      server.kill('SIGKILL');
      await server.ended;
    }
  });

  it('serves a client of Python', async () => {
    using listener = await createServer(['127.0.0.1', 0]);
    const client = python('client', String(listener.getsockname()[1]));
    const [plain] = await listener.accept(wait);
    await using server = await context(Purpose.CLIENT_AUTH, 'server').wrapSocket(plain, wait);
    assert.deepEqual(server.getpeercert()?.subject, { CN: 'alice' });
    await server.sendall(payload, wait);
    server.close();
    const { stdout, stderr } = await client.ended;
    const digest = createHash('sha256').update(payload).digest('hex');
    assert.equal(stdout, `TLSv1.3 localhost ${payload.length} ${digest}\n`, stderr);
  });

  it('goes on in plain text when Python unwraps', async () => {
    using listener = await createServer(['127.0.0.1', 0]);
    const client = python('unwrap', String(listener.getsockname()[1]));
    const [connection] = await listener.accept(wait);
    const server = await context(Purpose.CLIENT_AUTH, 'server').wrapSocket(connection, { unwrappable: true, ...wait });
    assert.equal(text(await server.recvExactly(7, wait)), 'secret\n');
    using plain = (await server.unwrap(wait))!;
    assert.equal(text(await plain.recvExactly(6, wait)), 'plain\n');
    await plain.sendall('plain too\n');
    const { stdout, stderr } = await client.ended;
    assert.equal(stdout, 'plain too\n', stderr);
  });

  it('starts TLS in the middle with asyncio', () =>
    run(async () => {
      await using server = await startServer(async (reader, writer) => {
        assert.equal(text(await reader.readline(wait)), 'STARTTLS\n');
        writer.write('go on\n');
        await writer.startTls(context(Purpose.CLIENT_AUTH, 'server'), wait);
        writer.write(`back: ${text(await reader.readline(wait))}`);
      });
      const client = python('start_tls', String(server.port));
      const { stdout, stderr } = await client.ended;
      assert.equal(stdout, 'back: under TLS\n', stderr);
    }));
});
