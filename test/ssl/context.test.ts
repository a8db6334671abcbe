import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { before, describe, it } from 'node:test';
import { ClosedError, InvalidArgumentError, InvalidStateError, TimeoutError } from '../../src/entry/errors.ts';
import { createTask, run, sleep } from '../../src/entry/asyncio.ts';
import { socketpair } from '../../src/entry/socket.ts';
import { settled } from '../../src/entry/testing.ts';
import {
  CERT_NONE,
  CERT_OPTIONAL,
  CERT_REQUIRED,
  createAuthority,
  createDefaultContext,
  getpeercert,
  PROTOCOL_TLS_CLIENT,
  PROTOCOL_TLS_SERVER,
  Purpose,
  SSLContext,
  SSLError,
} from '../../src/entry/ssl.ts';
import { clientContext, connected, failures, fixtures, nodePair, serverContext, tcpPair, text } from './connection.ts';

describe('a context', () => {
  it('is safe by default', () => {
    const client = createDefaultContext();
    assert.deepEqual(
      [client.protocol, client.verifyMode, client.checkHostname, client.minimumVersion, client.maximumVersion],
      [PROTOCOL_TLS_CLIENT, CERT_REQUIRED, true, 'TLSv1.2', 'TLSv1.3'],
    );
    const server = createDefaultContext({ purpose: Purpose.CLIENT_AUTH });
    assert.deepEqual(
      [server.protocol, server.verifyMode, server.checkHostname],
      [PROTOCOL_TLS_SERVER, CERT_NONE, false],
    );
  });

  it('refuses settings that contradict each other, or are none', async () => {
    const context = new SSLContext();
    assert.throws(() => (context.verifyMode = CERT_NONE), InvalidArgumentError);
    context.checkHostname = false;
    context.verifyMode = CERT_NONE;
    context.checkHostname = true;
    assert.equal(context.verifyMode, CERT_REQUIRED, 'a name check without verification would be none');
    assert.throws(() => (context.verifyMode = 7 as never), InvalidArgumentError);
    assert.throws(() => (context.minimumVersion = 'SSLv3' as never), InvalidArgumentError);
    context.maximumVersion = 'TLSv1.2';
    assert.throws(() => (context.minimumVersion = 'TLSv1.3'), /minimumVersion: expected at most TLSv1.2/);
    assert.throws(() => context.setCiphers('NO-SUCH-CIPHER'), SSLError);
    assert.throws(() => context.setAlpnProtocols(['']), InvalidArgumentError);
    assert.throws(() => new SSLContext('both' as never), InvalidArgumentError);
    assert.throws(() => createDefaultContext({ purpose: 'ALL' as never }), InvalidArgumentError);
    assert.throws(() => context.loadVerifyLocations({}), InvalidArgumentError);
    assert.throws(() => context.loadVerifyLocations(null as never), InvalidArgumentError);
    assert.throws(() => context.loadCertChain('x.pem', null as never), InvalidArgumentError);
    assert.throws(() => context.loadCertChain(undefined as never), InvalidArgumentError);
    assert.throws(() => createDefaultContext(null as never), InvalidArgumentError);
    await assert.rejects(context.wrapSocket({} as never), InvalidArgumentError);
    const [a, b] = nodePair();
    await assert.rejects(context.wrapSocket(a, { serverSide: true }), InvalidArgumentError);
    await assert.rejects(context.wrapSocket(b), /serverHostname/);
    assert.deepEqual([a.destroyed, b.destroyed], [true, true]);
    await assert.rejects(context.wrapSocket(a, { serverHostname: 'x' }), ClosedError);
    const [c, d] = socketpair();
    await assert.rejects(new SSLContext(PROTOCOL_TLS_SERVER).wrapSocket(c), InvalidStateError);
    assert.equal(c.closed, true);
    d.close();
  });
});

describe('a connection', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  it('carries bytes both ways, to the end of the stream', async () => {
    using ends = await connected(clientContext(given.ca), serverContext(given.server));
    const { client, server } = ends;
    const payload = randomBytes(1_000_000);
    const sending = client.sendall(payload).then(() => client.shutdown());
    assert.deepEqual(await server.recvExactly(payload.length), payload);
    assert.equal((await server.recv(10)).length, 0);
    await sending;
    assert.equal(await server.send('answer'), 6);
    await assert.rejects(client.sendall('too late'), ClosedError);
    server.close();
    const pieces: Buffer[] = [];
    for await (const piece of client) pieces.push(piece);
    assert.equal(text(Buffer.concat(pieces)), 'answer');
    assert.equal(client.version(), 'TLSv1.3');
    assert.match(client.cipher().standardName, /^TLS_AES_256_GCM_SHA384$/);
    assert.equal(client.serverHostname, 'localhost');
    assert.equal(server.serverHostname, 'localhost');
    assert.deepEqual(client.getpeername(), server.getsockname());
    await assert.rejects(server.recv(1), ClosedError);
    await assert.rejects(server.sendall('x'), ClosedError);
  });

  it('sends what a buffer holds now, not what is put into it later', async () => {
    using ends = await connected(clientContext(given.ca), serverContext(given.server));
    const buffer = Buffer.alloc(20_000);
    const sending = (async () => {
      for (let round = 0; round < 50; round++) await ends.client.sendall(buffer.fill(round));
    })();
    for (let round = 0; round < 50; round++) {
      const came = await ends.server.recvExactly(buffer.length);
      assert.ok(came.every((byte) => byte === round));
    }
    await sending;
  });

  it('slows the sender down when nobody reads', async () => {
    using ends = await connected(clientContext(given.ca), serverContext(given.server));
    const piece = Buffer.alloc(1_000_000);
    let sent = 0;
    const flood = async (): Promise<never> => {
      for (;;) {
        await ends.client.sendall(piece, { timeout: 0.2 });
        sent++;
      }
    };
    await assert.rejects(flood(), TimeoutError);
    assert.ok(sent < 40, `${sent} MB were taken`);
  });

  it('tells who the server is, once that is proved', async () => {
    using ends = await connected(clientContext(given.ca), serverContext(given.server));
    const certificate = ends.client.getpeercert()!;
    assert.deepEqual(certificate.subject, { CN: 'localhost' });
    assert.deepEqual(certificate.issuer, { CN: 'Test CA' });
    assert.deepEqual(certificate.subjectAltName, [
      ['DNS', 'localhost'],
      ['IP Address', '127.0.0.1'],
      ['IP Address', '0:0:0:0:0:0:0:1'],
    ]);
    assert.equal(certificate.fingerprint256, given.server.x509.fingerprint256);
    assert.ok(certificate.notAfter > new Date());
    assert.equal(ends.server.getpeercert(), undefined);
    const context = clientContext(given.ca);
    context.checkHostname = false;
    context.verifyMode = CERT_NONE;
    using blind = await connected(context, serverContext(given.server));
    assert.equal(blind.client.getpeercert(), undefined, 'nobody has verified it');
    assert.deepEqual(blind.client.getpeercert({ binaryForm: true }), given.server.x509.raw);
    assert.throws(() => getpeercert({}), InvalidArgumentError);
  });

  it('tells who the client is under mutual TLS', async () => {
    const server = serverContext(given.server, given.ca);
    assert.equal(server.verifyMode, CERT_REQUIRED);
    using ends = await connected(clientContext(given.ca, given.client), server);
    const peer = ends.server.getpeercert()!;
    assert.deepEqual(peer.subject, { CN: 'alice' });
    assert.deepEqual(peer.subjectAltName, [['email', 'alice@example.org']]);
    server.verifyMode = CERT_OPTIONAL;
    using anonymous = await connected(clientContext(given.ca), server);
    assert.equal(anonymous.server.getpeercert(), undefined);
    using known = await connected(clientContext(given.ca, given.client), server);
    assert.deepEqual(known.server.getpeercert()?.subject, { CN: 'alice' });
  });

  it('agrees on an application protocol, or none', async () => {
    const server = serverContext(given.server);
    server.setAlpnProtocols(['h2', 'http/1.1']);
    const client = clientContext(given.ca);
    client.setAlpnProtocols(['http/1.1', 'other']);
    using ends = await connected(client, server);
    assert.equal(ends.client.selectedAlpnProtocol(), 'http/1.1');
    assert.equal(ends.server.selectedAlpnProtocol(), 'http/1.1');
    using silent = await connected(clientContext(given.ca), server);
    assert.equal(silent.client.selectedAlpnProtocol(), undefined);
    client.setAlpnProtocols(['other']);
    const [atClient] = await failures(client, server);
    assert.ok(atClient instanceof SSLError);
    assert.match(String(atClient.reason), /NO_APPLICATION_PROTOCOL/);
  });

  it('speaks the versions that both contexts allow', async () => {
    const server = serverContext(given.server);
    server.maximumVersion = 'TLSv1.2';
    using old = await connected(clientContext(given.ca), server);
    assert.equal(old.client.version(), 'TLSv1.2');
    const client = clientContext(given.ca);
    client.minimumVersion = 'TLSv1.3';
    const [atClient, atServer] = await failures(client, server);
    assert.match(String((atClient as SSLError).reason), /PROTOCOL_VERSION/);
    assert.equal((atServer as SSLError).reason, 'UNSUPPORTED_PROTOCOL');
  });

  it('uses the ciphers that were set, and keeps those of TLS 1.3 beside others', async () => {
    const client = clientContext(given.ca);
    client.setCiphers('ECDHE-ECDSA-AES128-GCM-SHA256');
    using newest = await connected(client, serverContext(given.server));
    assert.equal(newest.client.version(), 'TLSv1.3');
    client.maximumVersion = 'TLSv1.2';
    using older = await connected(client, serverContext(given.server));
    assert.equal(older.client.cipher().name, 'ECDHE-ECDSA-AES128-GCM-SHA256');
    client.maximumVersion = 'TLSv1.3';
    client.setCiphers('TLS_CHACHA20_POLY1305_SHA256');
    using chosen = await connected(client, serverContext(given.server));
    assert.equal(chosen.client.cipher().name, 'TLS_CHACHA20_POLY1305_SHA256');
  });

  it('serves several names, each with its certificate', async () => {
    const names = ['one.example', 'a.two.example', 'three.example', 'localhost'] as const;
    const server = serverContext(given.server);
    const contextFor = async (name: string) => serverContext(await given.ca.issueServer(name));
    server.addContext('One.example', await contextFor('one.example'));
    server.addContext('*.two.example', await contextFor('*.two.example'));
    const three = await contextFor('three.example');
    server.sniCallback = async (name) => (name === 'three.example' ? three : undefined);
    for (const serverHostname of names) {
      using ends = await connected(clientContext(given.ca), server, { serverHostname });
      assert.equal(ends.server.serverHostname, serverHostname);
    }
    // An address is no name that a client would send, yet the certificate is checked for it.
    using byAddress = await connected(clientContext(given.ca), server, { serverHostname: '127.0.0.1' });
    assert.equal(byAddress.server.serverHostname, undefined);
    server.sniCallback = () => {
      throw new Error('no idea');
    };
    const [, atServer] = await failures(clientContext(given.ca), server);
    assert.match((atServer as SSLError).message, /no idea/);
  });

  it('looks for the client’s authority where the name leads', async () => {
    const server = serverContext(given.server, given.ca);
    const partners = await createAuthority('Partners');
    server.addContext('partners.example', serverContext(await given.ca.issueServer('partners.example'), partners));
    const theirs = clientContext(given.ca, await partners.issueClient('bob'));
    const there = { serverHostname: 'partners.example' };
    using ends = await connected(theirs, server, there);
    assert.deepEqual(ends.server.getpeercert()?.issuer, { CN: 'Partners' });
    const [, elsewhere] = await failures(theirs, server);
    assert.ok(elsewhere instanceof SSLError);
    const [, ours] = await failures(clientContext(given.ca, given.client), server, there);
    assert.ok(ours instanceof SSLError);
  });

  it('knows names with letters of all alphabets', async () => {
    const server = serverContext(await given.ca.issueServer('bücher.example'));
    using ends = await connected(clientContext(given.ca), server, { serverHostname: 'bücher.example' });
    assert.equal(ends.server.serverHostname, 'xn--bcher-kva.example');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`resumes a session (${version})`, async () => {
      const server = serverContext(given.server, given.ca);
      const client = clientContext(given.ca, given.client);
      client.maximumVersion = version;
      using first = await connected(client, server);
      await first.greet();
      const { session } = first.client;
      assert.equal(first.client.sessionReused, false);
      using second = await connected(client, server, { session });
      assert.equal(second.client.sessionReused, true);
      assert.equal(second.server.sessionReused, true);
      assert.deepEqual(second.client.getpeercert()?.subject, { CN: 'localhost' });
      assert.deepEqual(second.server.getpeercert()?.subject, { CN: 'alice' });
      // For another host the session would stand for a certificate that nobody has compared with its name.
      const elsewhere = failures(client, server, { session, serverHostname: '127.0.0.1' });
      assert.ok((await elsewhere)[0] instanceof InvalidArgumentError);
      server.verifyMode = CERT_REQUIRED;
      using third = await connected(client, server, { session });
      assert.equal(third.client.sessionReused, false, 'the rules of the server were set anew');
      client.loadVerifyLocations({ cadata: (await createAuthority('Another')).cert });
      using fourth = await connected(client, server, { session: third.client.session ?? session });
      assert.equal(fourth.client.sessionReused, false, 'the client trusts others than before');
    });
  }

  it('starts on a stream of Node’s as well, and in the middle of a conversation', async () => {
    const [a, b] = nodePair();
    const [client, server] = await Promise.all([
      clientContext(given.ca).wrapSocket(a, { serverHostname: 'localhost' }),
      serverContext(given.server).wrapSocket(b),
    ]);
    client.end('over a UNIX socket');
    assert.equal(text(Buffer.concat(await server.toArray())), 'over a UNIX socket');
    client.destroy();
    server.destroy();
    const [plain, other] = await tcpPair();
    await plain.sendall('STARTTLS\n');
    assert.equal(text(await other.recvExactly(9)), 'STARTTLS\n');
    await Promise.all([
      plain.startTls(clientContext(given.ca), { serverHostname: 'localhost' }),
      other.startTls(serverContext(given.server)),
    ]);
    await plain.sendall('secret');
    assert.equal(text(await other.recv(100)), 'secret');
    plain.close();
    other.close();
  });

  it('runs over streams that are no sockets', async () => {
    const [up, down] = [new PassThrough(), new PassThrough()];
    const [client, server] = await Promise.all([
      clientContext(given.ca).wrapSocket(Duplex.from({ readable: down, writable: up }), {
        serverHostname: 'localhost',
      }),
      serverContext(given.server).wrapSocket(Duplex.from({ readable: up, writable: down })),
    ]);
    server.end('through pipes');
    assert.equal(text((await once(client, 'data'))[0] as Buffer), 'through pipes');
    client.destroy();
    server.destroy();
    const broken = new Duplex({ read() {}, write: (_data, _encoding, done) => done(new Error('wire cut')) });
    const cut = clientContext(given.ca).wrapSocket(broken, { serverHostname: 'localhost' });
    await assert.rejects(cut, (error) => error instanceof SSLError && /wire cut/.test(error.message));
  });

  it('says goodbye with unwrap', async () => {
    using ends = await connected(clientContext(given.ca), serverContext(given.server));
    await ends.server.sendall('unread');
    const leaving = ends.client.unwrap({ timeout: 10 });
    assert.equal((await ends.server.recv(1)).length, 0);
    await ends.server.unwrap({ timeout: 10 });
    await leaving;
    assert.equal(ends.client.closed, true);
  });

  it('gives up a handshake that nobody answers', async () => {
    const [a, b] = await tcpPair();
    const waiting = clientContext(given.ca).wrapSocket(a, { serverHostname: 'localhost', timeout: 0.02 });
    await assert.rejects(waiting, TimeoutError);
    // The client's greeting, and then the end: the connection was closed.
    for await (const _ of b);
    b.close();
    const [e, f] = await tcpPair();
    // Begun early, never awaited, cancelled: that is no unhandled rejection.
    const begun = run(async () => {
      const task = createTask(async () => {
        void clientContext(given.ca).wrapSocket(e, { serverHostname: 'localhost' });
        await sleep(60);
      });
      await settled();
      task.cancel();
      await task.catch(() => {});
    });
    await begun;
    for await (const _ of f);
    f.close();
    const [c, d] = await tcpPair();
    const giveUp = new AbortController();
    const cancelled = serverContext(given.server).wrapSocket(c, { signal: giveUp.signal });
    giveUp.abort();
    await assert.rejects(cancelled, { name: 'CancelledError' });
    assert.equal((await d.recv(1)).length, 0);
    d.close();
  });
});
