import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer as netServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SystemError } from '../../src/entry/errors.ts';
import { createConnection, SocketError } from '../../src/entry/socket.ts';
import type { SSLContext } from '../../src/entry/ssl.ts';
import {
  CERT_REQUIRED,
  createAuthority,
  createDefaultContext,
  PROTOCOL_TLS_SERVER,
  Purpose,
  SSLCertVerificationError,
  SSLContext as Context,
  SSLEOFError,
  SSLError,
} from '../../src/entry/ssl.ts';
import { clientContext, connected, failures, fixtures, serverContext, tcpPair } from './connection.ts';
import { Folder } from './folder.ts';

const day = 86_400_000;

describe('a certificate that is not to be trusted', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  async function refused(server: SSLContext, client = clientContext(given.ca), serverHostname = 'localhost') {
    const [error, atServer] = await failures(client, server, { serverHostname });
    assert.ok(error instanceof SSLCertVerificationError, String(error));
    assert.equal(error.code, 'SIMUL_SSL_CERT_VERIFICATION');
    assert.equal(error.address, '127.0.0.1');
    assert.ok(error.port! > 0);
    assert.match(error.message, new RegExp(`^certificate of 127\\.0\\.0\\.1:${error.port} is not trusted: `));
    assert.ok(atServer === undefined || atServer instanceof SSLError || atServer instanceof SystemError);
    return { code: error.verifyCode, reason: error.reason, message: error.verifyMessage };
  }

  it('has expired, or is not valid yet', async () => {
    const past = { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() - day) };
    const expired = await given.ca.issueServer('localhost', past);
    const verdict = { code: 10, reason: 'CERT_HAS_EXPIRED', message: 'certificate has expired' };
    assert.deepEqual(await refused(serverContext(expired)), verdict);
    const early = await given.ca.issueServer('localhost', { notBefore: new Date(Date.now() + day) });
    assert.deepEqual((await refused(serverContext(early))).code, 9);
  });

  it('is that of another host', async () => {
    const { code, reason, message } = await refused(
      serverContext(given.server),
      clientContext(given.ca),
      'shop.example',
    );
    assert.deepEqual([code, reason], [62, 'HOSTNAME_MISMATCH']);
    assert.match(message, /shop\.example/);
    assert.match(message, /localhost/);
    const byAddress = await refused(serverContext(given.server), clientContext(given.ca), '10.0.0.1');
    assert.equal(byAddress.code, 62);
  });

  it('names the host as its common name only', async () => {
    using folder = new Folder();
    const made = 'req -x509 -newkey rsa:2048 -nodes -keyout it.key -out it.pem -days 9 -subj /CN=localhost';
    folder.openssl(...made.split(' '));
    const cert = folder.at('it.pem');
    const server = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert, keyfile: folder.at('it.key') });
    const verdict = await refused(server, createDefaultContext({ cafile: cert }));
    assert.deepEqual([verdict.code, verdict.reason], [62, 'HOSTNAME_MISMATCH']);
    assert.match(verdict.message, /no alternative names/);
  });

  it('is self-signed, or of an authority that nobody knows', async () => {
    using folder = new Folder();
    const self = 'req -x509 -newkey rsa:2048 -nodes -keyout it.key -out it.pem -days 9 -subj /CN=localhost -addext';
    folder.openssl(...self.split(' '), 'subjectAltName=DNS:localhost');
    const server = createDefaultContext({
      purpose: Purpose.CLIENT_AUTH,
      cert: folder.at('it.pem'),
      keyfile: folder.at('it.key'),
    });
    const verdict = { code: 18, reason: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed certificate' };
    assert.deepEqual(await refused(server), verdict);
    const stranger = await (await createAuthority('Another')).issueServer('localhost');
    assert.deepEqual((await refused(serverContext(stranger))).reason, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const publicOnly = createDefaultContext();
    assert.deepEqual((await refused(serverContext(given.server), publicOnly)).code, 21);
  });

  it('is a client’s', async () => {
    const server = serverContext(given.server, given.ca);
    const stranger = await (await createAuthority('Another')).issueClient('mallory');
    for (const [client, reason] of [
      [clientContext(given.ca, stranger), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [clientContext(given.ca, given.server), 'INVALID_PURPOSE'],
      [
        clientContext(
          given.ca,
          await given.ca.issueClient('late', { notBefore: new Date(0), notAfter: new Date(day) }),
        ),
        'CERT_HAS_EXPIRED',
      ],
    ] as const) {
      const [, error] = await failures(client, server);
      assert.ok(error instanceof SSLCertVerificationError, String(error));
      assert.equal(error.reason, reason);
      assert.equal(error.address, '127.0.0.1');
    }
    const [, none] = await failures(clientContext(given.ca), server);
    assert.ok(none instanceof SSLError);
    assert.equal(none.reason, 'PEER_DID_NOT_RETURN_A_CERTIFICATE');
    using good = await connected(clientContext(given.ca, given.client), server);
    await good.greet();
  });

  it('is told to a client that shows none, when it reads', async () => {
    const [a, b] = await tcpPair();
    const refusal = serverContext(given.server, given.ca).wrapSocket(b);
    // With TLS 1.3 the client is through before the server has looked at what it shows.
    const client = await clientContext(given.ca).wrapSocket(a, { serverHostname: 'localhost' });
    await assert.rejects(refusal, SSLError);
    await assert.rejects(client.recv(1), (error) => {
      assert.ok(error instanceof SSLError, String(error));
      return (
        error.reason === 'TLSV13_ALERT_CERTIFICATE_REQUIRED' || error.reason === 'TLSV1_ALERT_CERTIFICATE_REQUIRED'
      );
    });
    client.close();
  });

  it('is taken of the authorities that Node trusts by clients, not by servers', async () => {
    using folder = new Folder();
    for (const [name, { cert, key }] of Object.entries(given)) folder.write(`${name}.pem`, cert + key);
    const script = new URL('trust-of-node.js', import.meta.url).pathname;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: folder.at('ca.pem') };
    const { stdout } = await promisify(execFile)(process.execPath, [script, folder.path], { env });
    assert.deepEqual(JSON.parse(stdout), { client: 'none', server: 'SSLCertVerificationError' });
  });

  it('is any, for a server that trusts nobody', async () => {
    const server = new Context(PROTOCOL_TLS_SERVER);
    server.loadCertChain(given.server);
    server.verifyMode = CERT_REQUIRED;
    const [, error] = await failures(clientContext(given.ca, given.client), server);
    assert.ok(error instanceof SSLCertVerificationError, String(error));
  });
});

describe('what is not TLS', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  it('answers a TLS client in plain text', async () => {
    const server = netServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.end('220 mail.example ESMTP, hello there\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const plain = await createConnection(['127.0.0.1', port]);
    await assert.rejects(clientContext(given.ca).wrapSocket(plain, { serverHostname: 'localhost' }), (error) => {
      assert.ok(error instanceof SSLError);
      assert.equal(error.reason, 'WRONG_VERSION_NUMBER');
      assert.deepEqual([error.address, error.port], ['127.0.0.1', port]);
      assert.match(error.message, /the other side does not speak TLS$/);
      return true;
    });
    server.close();
    await once(server, 'close');
  });

  it('asks a TLS server in plain text', async () => {
    const [a, b] = await tcpPair();
    const serving = serverContext(given.server).wrapSocket(b);
    await a.sendall('GET / HTTP/1.0\r\n\r\n');
    await assert.rejects(serving, (error) => {
      assert.ok(error instanceof SSLError);
      assert.equal(error.reason, 'HTTP_REQUEST');
      return error.address === '127.0.0.1' && error.port === a.getsockname()[1];
    });
    a.close();
  });

  it('leaves in the middle of the handshake', async () => {
    const [a, b] = await tcpPair();
    const serving = serverContext(given.server).wrapSocket(b);
    const connecting = assert.rejects(serving, SSLEOFError);
    a.close();
    await connecting;
    const [c, d] = await tcpPair();
    const client = assert.rejects(clientContext(given.ca).wrapSocket(c, { serverHostname: 'localhost' }), SSLEOFError);
    // All of it: what is left unread makes a reset of the end.
    assert.ok((await d.recv(65_536)).length > 0);
    d.close();
    await client;
    const [e, f] = await tcpPair();
    const reset = assert.rejects(clientContext(given.ca).wrapSocket(e, { serverHostname: 'localhost' }), (error) => {
      assert.ok(error instanceof SocketError, String(error));
      assert.deepEqual([error.code, error.address], ['ECONNRESET', '127.0.0.1']);
      return true;
    });
    await f.recv(1);
    f.setOptions({ linger: 0 });
    f.close();
    await reset;
  });
});

describe('a connection that breaks later', () => {
  it('tells the reader why, on either side, and leaves nothing open', async () => {
    const given = await fixtures();
    const open = (): number => readdirSync('/proc/self/fd').length;
    let before = 0;
    for (let round = 0; round < 20; round++) {
      // The first round opens what stays.
      if (round === 1) before = open();
      const [a, b] = await tcpPair();
      const raw = a.toNodeSocket();
      const [client, server] = await Promise.all([
        clientContext(given.ca).wrapSocket(raw, { serverHostname: 'localhost' }),
        serverContext(given.server).wrapSocket(b),
      ]);
      const reading = assert.rejects(server.recv(10), (error) => {
        assert.ok(error instanceof SSLError, String(error));
        // By the version of OpenSSL.
        return /^(WRONG_VERSION_NUMBER|BAD_RECORD_TYPE)$/.test(error.reason!);
      });
      const alert = once(client, 'error');
      client.on('data', () => {});
      raw.write('no record of TLS');
      await reading;
      await assert.rejects(server.sendall('x'), SSLError);
      assert.match(((await alert)[0] as Error).message, /alert/);
      client.destroy();
      server.close();
      await failures(clientContext(given.ca), serverContext(given.server), { serverHostname: 'elsewhere' });
    }
    // Handles are closed at the end of the turn of the event loop.
    for (let turn = 0; turn < 10 && open() > before; turn++) await setImmediate();
    assert.equal(open(), before);
  });
});

describe('a certificate file', () => {
  const folder = new Folder();
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
    folder.write('server.pem', given.server.cert);
    folder.write('server.key', given.server.key);
    folder.write('locked.key', given.server.encryptedKey('secret'));
    folder.write('other.key', given.client.key);
    folder.write('both.pem', given.server.key + given.server.cert);
    folder.write('server.p12', await given.server.pkcs12('secret'));
    folder.write('not.pem', 'nothing of the kind');
  });
  after(() => folder[Symbol.dispose]());

  const load = (cert: string, keyfile?: string, password?: string): SSLContext => {
    const context = new Context(PROTOCOL_TLS_SERVER);
    context.loadCertChain(folder.at(cert), { keyfile: keyfile && folder.at(keyfile), password });
    return context;
  };

  it('is taken with its key, locked or not, apart or not, or as PKCS#12', async () => {
    const client = clientContext(given.ca);
    for (const context of [
      load('server.pem', 'server.key'),
      load('server.pem', 'locked.key', 'secret'),
      load('both.pem'),
      load('server.p12', undefined, 'secret'),
    ]) {
      using ends = await connected(client, context);
      await ends.greet();
    }
  });

  const cases: [what: string, args: [string, (string | undefined)?, string?], reason: string, message: RegExp][] = [
    [
      'a wrong password',
      ['server.pem', 'locked.key', 'guess'],
      'BAD_DECRYPT',
      /locked\.key cannot be .*wrong password$/,
    ],
    ['no password', ['server.pem', 'locked.key'], 'BAD_PASSWORD_READ', /locked\.key is encrypted: give its password$/],
    ['a wrong password of PKCS#12', ['server.p12', undefined, 'guess'], 'BAD_DECRYPT', /server\.p12 .*wrong password$/],
    [
      'the key of another',
      ['server.pem', 'other.key'],
      'KEY_VALUES_MISMATCH',
      /other\.key and .*server\.pem do not belong/,
    ],
    ['no certificate in it', ['not.pem', 'server.key'], 'NO_START_LINE', /not\.pem holds no certificate/],
    ['no key in it', ['server.pem'], 'NO_START_LINE', /server\.pem holds no private key/],
  ];
  for (const [what, args, reason, message] of cases) {
    it(`with ${what} is refused`, () => {
      assert.throws(
        () => load(...args),
        (error) => {
          assert.ok(error instanceof SSLError, String(error));
          assert.equal(error.code, 'SIMUL_SSL');
          assert.match(error.message, message);
          return error.reason === reason;
        },
      );
    });
  }

  it('that is missing is the system’s error', () => {
    const missing = (error: unknown): boolean =>
      error instanceof SystemError && error.code === 'ENOENT' && /missing/.test(error.path!);
    assert.throws(() => load('missing.pem'), missing);
    assert.throws(() => load('server.pem', 'missing.key'), missing);
    assert.throws(() => createDefaultContext({ cafile: folder.at('missing') }), missing);
    assert.throws(() => createDefaultContext({ cafile: folder.at('not.pem') }), /not\.pem holds no certificate/);
    assert.throws(() => createDefaultContext({ cadata: '-----BEGIN CERTIFICATE-----' }), SSLError);
    assert.throws(() => load('not.p12'), { code: 'ENOENT' });
  });

  it('of an authority may be DER, or several in one', async () => {
    using one = await connected(createDefaultContext({ cadata: given.ca.x509.raw }), serverContext(given.server));
    await one.greet();
    const several = `# two\n${(await createAuthority('Another')).cert}\n${given.ca.cert}`;
    using two = await connected(createDefaultContext({ cafile: folder.write('cas.pem', several) }), load('both.pem'));
    await two.greet();
  });
});
