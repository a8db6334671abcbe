import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { before, describe, it } from 'node:test';
import { ClosedError, TimeoutError } from '../../src/entry/errors.ts';
import type { Socket } from '../../src/entry/socket.ts';
import { SSLError } from '../../src/entry/ssl.ts';
import { clientContext, connected, Ends, fixtures, serverContext, tcpPair, text } from './connection.ts';

describe('an unwrappable connection', () => {
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`goes on in plain text after unwrap, with what came right behind: ${version}`, async () => {
      const client = clientContext(given.ca);
      client.maximumVersion = version;
      const [a, b] = await tcpPair();
      b.setOptions({ noDelay: true });
      const raw = b.toNodeSocket();
      // A carrier that does not end with TLS, and sends what is the last of it only together with what comes behind.
      const last: Buffer[] = [];
      const carrier = new Duplex({
        read: () => {},
        write: (bytes: Buffer, _, done) => {
          if (theirs?.writableEnded === true) last.push(bytes);
          else raw.write(bytes);
          done();
        },
        final: (done) => done(),
      });
      let theirs: TLSSocket | undefined;
      const feed = (bytes: Buffer): void => void carrier.push(bytes);
      raw.on('data', feed);
      const handshake = serverContext(given.server).wrapSocket(carrier, { timeout: 10 });
      const ours = await client.wrapSocket(a, { serverHostname: 'localhost', unwrappable: true, timeout: 10 });
      theirs = await handshake;
      theirs.write('secret');
      assert.equal(text(await ours.recvExactly(6)), 'secret');
      theirs.end();
      await once(theirs, 'finish');
      raw.write(Buffer.concat([...last, Buffer.from('plain at once')]));
      theirs.resume();
      const plain = (await ours.unwrap({ timeout: 10 }))!;
      assert.deepEqual([ours.closed, plain.closed], [true, false]);
      assert.equal(text(await plain.recvExactly(13, { timeout: 10 })), 'plain at once');
      if (!theirs.readableEnded) await once(theirs, 'end');
      raw.off('data', feed);
      await plain.sendall('plain again');
      const [answer] = (await once(raw, 'data')) as [Buffer];
      assert.equal(text(answer), 'plain again');
      raw.end();
      assert.equal((await plain.recv(1, { timeout: 10 })).length, 0);
      plain.close();
    });
  }

  it('goes under TLS and back, again and again', async () => {
    let [a, b]: [Socket, Socket] = await tcpPair();
    a.settimeout(10);
    b.settimeout(20);
    for (let i = 0; i < 3; i++) {
      const [client, server] = await Promise.all([
        clientContext(given.ca).wrapSocket(a, { serverHostname: 'localhost', unwrappable: true }),
        serverContext(given.server).wrapSocket(b, { unwrappable: true }),
      ]);
      using ends = new Ends(client, server);
      const large = Buffer.alloc(300_000, `${i}`);
      const sending = ends.client.sendall(large);
      assert.deepEqual(await server.recvExactly(large.length), large);
      await sending;
      [a, b] = (await Promise.all([client.unwrap(), server.unwrap()])) as [Socket, Socket];
      assert.deepEqual([a.gettimeout(), b.gettimeout()], [10, 20]);
      await a.sendall(`plain ${i}`);
      assert.equal(text(await b.recvExactly(7)), `plain ${i}`);
    }
    a.close();
    assert.equal((await b.recv(1)).length, 0);
    b.close();
  });

  it('closes an unwrappable connection whose handshake fails, or that is closed', async () => {
    const [a, b] = await tcpPair();
    const failing = clientContext(given.ca).wrapSocket(a, {
      serverHostname: 'localhost',
      unwrappable: true,
      timeout: 10,
    });
    await b.sendall('HTTP/');
    await assert.rejects(failing, (error) => error instanceof SSLError && /WRONG_VERSION_NUMBER/.test(error.reason!));
    for await (const _ of b);
    b.close();
    const ends = await connected(clientContext(given.ca), serverContext(given.server), { unwrappable: true });
    ends.client.close();
    assert.equal((await ends.server.recv(1, { timeout: 10 })).length, 0);
    ends.server.close();
  });

  it('is unwrapped as well by who has heard the other side say goodbye, and only once', async () => {
    const [a, b] = await tcpPair();
    const [client, server] = await Promise.all([
      clientContext(given.ca).wrapSocket(a, { serverHostname: 'localhost', unwrappable: true, timeout: 10 }),
      serverContext(given.server).wrapSocket(b, { unwrappable: true, timeout: 10 }),
    ]);
    const leaving = client.unwrap({ timeout: 10 });
    assert.equal((await server.recv(1, { timeout: 10 })).length, 0);
    await new Promise(setImmediate); // what closes by itself has done so by now
    const theirs = (await server.unwrap({ timeout: 10 }))!;
    const ours = (await leaving)!;
    await assert.rejects(server.unwrap({ timeout: 10 }), ClosedError);
    await theirs.sendall('still there');
    assert.equal(text(await ours.recvExactly(11, { timeout: 10 })), 'still there');
    ours.close();
    theirs.close();
  });

  it('is closed when the other side does not say goodbye', async () => {
    const options = { unwrappable: true };
    using ends = await connected(clientContext(given.ca), serverContext(given.server), options);
    await assert.rejects(ends.client.unwrap({ timeout: 0.02 }), TimeoutError);
    assert.equal(ends.client.closed, true);
    assert.equal((await ends.server.recv(1, { timeout: 10 })).length, 0);
  });
});
