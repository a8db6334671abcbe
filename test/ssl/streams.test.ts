import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { before, describe, it } from 'node:test';
import type { Report, StreamReader, StreamWriter } from '../../src/entry/asyncio.ts';
import { createTask, gather, getRunningLoop, openConnection, run, startServer } from '../../src/entry/asyncio.ts';
import { ClosedError, InvalidArgumentError, InvalidStateError, TimeoutError } from '../../src/entry/errors.ts';
import { createDefaultContext, getpeercert, SSLCertVerificationError, SSLError } from '../../src/entry/ssl.ts';
import { settled } from '../../src/entry/testing.ts';
import { clientContext, fixtures, serverContext, text } from './connection.ts';

const echo = async (reader: StreamReader, writer: StreamWriter): Promise<void> => {
  for (let data = await reader.read(65_536); data.length > 0; data = await reader.read(65_536)) {
    writer.write(data);
    await writer.drain();
  }
};

describe('streams under TLS', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  it('carry bytes both ways, with half-close and back-pressure', () =>
    run(async () => {
      await using server = await startServer(echo, { ssl: serverContext(given.server) });
      const [reader, writer] = await openConnection('localhost', server.port!, { ssl: clientContext(given.ca) });
      const payload = randomBytes(3_000_000);
      const sending = createTask(async () => {
        for (let at = 0; at < payload.length; at += 50_000) {
          writer.write(payload.subarray(at, at + 50_000));
          await writer.drain();
        }
        writer.writeEof();
      });
      assert.deepEqual(await reader.read(), payload);
      await sending;
      assert.match(writer.getExtraInfo('peername')!, new RegExp(`:${server.port}$`));
      assert.deepEqual(getpeercert(writer.getExtraInfo('socket')), undefined, 'the connection is over');
      writer.close();
      await writer.waitClosed();
    }));

  it('tell who the other side is', () =>
    run(async () => {
      await using server = await startServer(
        (_, writer) => writer.write(`hello ${String(getpeercert(writer.getExtraInfo('socket'))?.subject['CN'])}\n`),
        { ssl: serverContext(given.server, given.ca) },
      );
      const ssl = clientContext(given.ca, given.client);
      const [reader, writer] = await openConnection('127.0.0.1', server.port!, { ssl, serverHostname: 'localhost' });
      assert.deepEqual(getpeercert(writer.getExtraInfo('socket'))?.subject, { CN: 'localhost' });
      assert.equal(text(await reader.readline()), 'hello alice\n');
      await writer[Symbol.asyncDispose]();
    }));

  it('refuse a server that is not trusted, and a port that speaks no TLS', () =>
    run(async () => {
      await using server = await startServer(echo, { ssl: serverContext(given.server) });
      getRunningLoop().setExceptionHandler(() => {});
      await assert.rejects(openConnection('localhost', server.port!, { ssl: true }), SSLCertVerificationError);
      const ssl = clientContext(given.ca);
      const wrong = openConnection('localhost', server.port!, { ssl, serverHostname: 'elsewhere.example' });
      await assert.rejects(wrong, SSLCertVerificationError);
      await using plain = await startServer(async (reader, writer) => {
        await reader.read(1);
        writer.write('what?\n');
      });
      await assert.rejects(openConnection('localhost', plain.port!, { ssl }), /does not speak TLS/);
      await using silent = await startServer(async (reader) => void (await reader.read()));
      await assert.rejects(openConnection('localhost', silent.port!, { ssl, timeout: 0.05 }), TimeoutError);
    }));

  it('serve on while handshakes fail, hang or are cut off', async () => {
    const reports: Report[] = [];
    await run(async () => {
      getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
      await using server = await startServer(echo, { ssl: serverContext(given.server) });
      await using strict = await startServer(echo, { ssl: serverContext(given.server), sslHandshakeTimeout: 0.05 });
      const plain = connect(server.port!, 'localhost').on('error', () => {});
      plain.end('GET / HTTP/1.0\r\n\r\n');
      await once(plain, 'close');
      const silent = connect(strict.port!, 'localhost')
        .on('error', () => {})
        .resume();
      await once(silent, 'close');
      const ssl = clientContext(given.ca);
      const ask = (i: number) => async (): Promise<string> => {
        const [reader, writer] = await openConnection('localhost', server.port!, { ssl });
        await using _ = writer;
        writer.write(`${i}\n`);
        return text(await reader.readline());
      };
      const answers = await gather(Array.from({ length: 20 }, (_, i) => ask(i)));
      assert.deepEqual(
        answers,
        Array.from({ length: 20 }, (_, i) => `${i}\n`),
      );
      const late = connect(server.port!, 'localhost').on('error', () => {});
      await once(late, 'connect');
      // Whoever is still in the handshake at the end does not hold the server up.
      late.unref();
    });
    assert.deepEqual(
      reports.slice(0, 2).map(({ message, exception }) => [message, (exception as Error).constructor]),
      [
        ['TLS handshake failed', SSLError],
        ['TLS handshake failed', TimeoutError],
      ],
    );
  });

  it('do without clientConnected for clients that show no certificate', async () => {
    const reports: Report[] = [];
    let served = 0;
    await run(async () => {
      getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
      await using server = await startServer(() => void served++, { ssl: serverContext(given.server, given.ca) });
      const [reader, writer] = await openConnection('localhost', server.port!, { ssl: clientContext(given.ca) });
      await assert.rejects(reader.read(1), SSLError);
      writer.close();
    });
    assert.equal(served, 0);
    assert.equal((reports[0]!.exception as SSLError).reason, 'PEER_DID_NOT_RETURN_A_CERTIFICATE');
  });
});

describe('startTls', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  it('goes on under TLS with the same reader and writer', () =>
    run(async () => {
      await using server = await startServer(async (reader, writer) => {
        assert.equal(text(await reader.readline()), 'STARTTLS\n');
        writer.write('go on\n');
        await writer.startTls(serverContext(given.server));
        await echo(reader, writer);
      });
      const [reader, writer] = await openConnection('localhost', server.port!);
      writer.write('STARTTLS\n');
      assert.equal(text(await reader.readline()), 'go on\n');
      const starting = writer.startTls(clientContext(given.ca), { serverHostname: 'localhost', timeout: 10 });
      assert.throws(() => writer.write('secret'), InvalidStateError);
      await assert.rejects(writer.startTls(clientContext(given.ca)), InvalidStateError);
      await starting;
      const payload = randomBytes(1_000_000);
      const sending = createTask(async () => {
        writer.write(payload);
        await writer.drain();
        writer.writeEof();
      });
      assert.deepEqual(await reader.read(), payload);
      await sending;
      writer.close();
      await writer.waitClosed();
      await assert.rejects(writer.startTls(clientContext(given.ca)), ClosedError);
    }));

  it('takes a greeting that came with the last line, but no plain text after it', () =>
    run(async () => {
      const errors: unknown[] = [];
      await using server = await startServer(async (reader, writer) => {
        try {
          await reader.readline();
          await settled();
          await writer.startTls(serverContext(given.server));
          await echo(reader, writer);
        } catch (error) {
          errors.push(error);
        }
      });
      // No answer is waited for: the TLS greeting follows at once.
      const [reader, writer] = await openConnection('localhost', server.port!);
      writer.write('STARTTLS\n');
      await writer.startTls(clientContext(given.ca), { serverHostname: 'localhost' });
      writer.write('under TLS\n');
      assert.equal(text(await reader.readline()), 'under TLS\n');
      writer.close();
      const [, injecting] = await openConnection('localhost', server.port!);
      injecting.write('STARTTLS\nMAIL FROM:<mallory@example.org>\n');
      const refused = injecting.startTls(clientContext(given.ca), { serverHostname: 'localhost' });
      await assert.rejects(refused, SSLError);
      assert.ok(errors[0] instanceof SSLError, String(errors));
    }));

  it('that fails closes the connection, and tells who reads later', () =>
    run(async () => {
      await using server = await startServer(async (reader, writer) => {
        await reader.read(1);
        writer.write('not TLS\n');
      });
      const [reader, writer] = await openConnection('localhost', server.port!);
      const reading = reader.read(1);
      await assert.rejects(writer.startTls(clientContext(given.ca)), InvalidStateError, 'somebody reads');
      writer.write('x');
      await reading;
      await reader.readline();
      await assert.rejects(writer.startTls(clientContext(given.ca)), InvalidArgumentError);
      await assert.rejects(reader.read(1), InvalidArgumentError);
      await assert.rejects(writer.waitClosed(), InvalidArgumentError);
      assert.equal(writer.isClosing(), true);
      await assert.rejects(openConnection('localhost', server.port!, { ssl: createDefaultContext() }), SSLError);
    }));
});
