import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CancelledError, createTask, run } from '../../src/entry/asyncio.ts';
import { ClosedError, InvalidArgumentError, InvalidStateError } from '../../src/entry/errors.ts';
import type { Socket } from '../../src/entry/socket.ts';
import {
  AF_INET6,
  createConnection,
  createServer,
  fromDescriptor,
  IncompleteReadError,
  SHUT_WR,
  SO_REUSEADDR,
  socket,
  SocketError,
  socketpair,
  SOL_SOCKET,
  TimeoutError,
} from '../../src/entry/socket.ts';
import { close } from '../../src/entry/os.ts';
import { program } from '../fixtures/program.ts';
import { closing } from './closing.ts';
import { openDescriptors } from '../support/descriptors.ts';

const text = (bytes: Buffer): string => bytes.toString();

/** Both ends of a TCP connection. */
async function connected(): Promise<{ client: Socket; served: Socket } & Disposable> {
  using server = await createServer(['127.0.0.1', 0]);
  const accepted = server.accept();
  const client = await createConnection(server.getsockname());
  const [served] = await accepted;
  return {
    client,
    served,
    [Symbol.dispose]: () => {
      client.close();
      served.close();
    },
  };
}

describe('a stream socket', () => {
  test('binds apart from listening, accepts and knows both addresses', async () => {
    using server = socket();
    await server.bind(['127.0.0.1', 0]);
    const address = server.getsockname();
    await assert.rejects(createConnection(address), { code: 'ECONNREFUSED', address: '127.0.0.1', port: address[1] });
    server.listen(1);
    using client = socket();
    await client.connect(address);
    const [served, peer] = await server.accept({ timeout: 5 });
    using _ = served;
    assert.deepEqual(peer, client.getsockname());
    assert.deepEqual(served.getpeername(), client.getsockname());
    assert.deepEqual(client.getpeername(), address);
  });

  test('receives at most n bytes, waits for the first, and an empty array at the end', async () => {
    using pair = await connected();
    const { client, served } = pair;
    const first = served.recv(3);
    await client.sendall('hello');
    assert.equal(text(await first), 'hel');
    assert.equal(text(await served.recv(100)), 'lo');
    client.shutdown(SHUT_WR);
    assert.equal((await served.recv(100)).length, 0);
    assert.equal((await served.recv(100)).length, 0);
    await served.sendall('still here');
    assert.equal(text(await client.recv(100)), 'still here');
  });

  test('gives all that is there to who asks for much, behind short messages as well', async () => {
    const [a, b] = socketpair();
    for (const length of [1, 60, 2000, 5000, 100, 9000, 1, 70_000, 3, 0]) {
      const message = Buffer.alloc(length, `${length} `);
      await a.sendall(message);
      if (length > 0) assert.deepEqual(await b.recv(100_000, { timeout: 5 }), message);
    }
    a.close();
    assert.equal((await b.recv(100_000, { timeout: 5 })).length, 0);
    b.close();
  });

  test('who looks ahead learns of the end, or of more, without a turn of the event loop; and waits for what is not there', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    b.lookAhead();
    await a.sendall('one');
    assert.equal(text(await b.recv(100)), 'one');
    const waiting = b.recv(100, { timeout: 5 });
    await a.sendall('two');
    assert.equal(text(await waiting), 'two');
    await a.sendall('three');
    a.shutdown(SHUT_WR);
    let turned = false;
    const turn = setImmediate(() => (turned = true));
    const got = [await b.recv(100), await b.recv(100)];
    clearImmediate(turn);
    assert.deepEqual(got.map(text), ['three', '']);
    assert.equal(turned, false);
  });

  test('keeps apart what it gave and what it receives next', async () => {
    const [a, b] = socketpair();
    const got: Buffer[] = [];
    for (let i = 0; i < 500; i++) {
      await a.sendall(`message ${i}`);
      got.push(await b.recv(65_536, { timeout: 5 }));
    }
    assert.deepEqual(
      got.map(String),
      got.map((_, i) => `message ${i}`),
    );
    got[0]!.fill('x');
    assert.equal(text(got[1]!), 'message 1');
    a.close();
    b.close();
  });

  test('asked for more than one call takes, it misses nothing of what is there', async () => {
    using server = await createServer(['127.0.0.1', 0], { receiveBuffer: 8 << 20 });
    using client = await createConnection(server.getsockname());
    const [served] = await server.accept({ timeout: 5 });
    const data = Buffer.alloc(3 << 20, 'abcdefg');
    await client.sendall(data, { timeout: 20 });
    const parts: Buffer[] = [];
    for (let left = data.length; left > 0; left -= parts.at(-1)!.length) {
      parts.push(await served.recv(4 << 20, { timeout: 20 }));
    }
    assert.deepEqual(Buffer.concat(parts), data);
    await client.sendall(data, { timeout: 20 });
    assert.deepEqual(await served.recvExactly(data.length, { timeout: 20 }), data);
    served.close();
  });

  test('receives exactly n bytes, or tells what came; a cancelled wait loses nothing', async () => {
    using pair = await connected();
    const { client, served } = pair;
    await client.sendall('abc');
    await assert.rejects(served.recvExactly(5, { timeout: 0.02 }), TimeoutError);
    await client.sendall('de');
    assert.equal(text(await served.recvExactly(5)), 'abcde');
    await client.sendall('xy');
    client.close();
    await assert.rejects(served.recvExactly(3), (error) => {
      assert.ok(error instanceof IncompleteReadError);
      return text(error.partial) === 'xy' && error.expected === 3;
    });
  });

  test('waits in sendall while the other side does not read, and keeps the order of concurrent calls', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    const size = 3_000_000;
    let done = 0;
    const sends = ['x', 'y'].map((letter) => a.sendall(Buffer.alloc(size, letter)).then(() => done++));
    await assert.rejects(a.sendall('z', { timeout: 0.02 }), TimeoutError);
    assert.equal(done, 0);
    const all = await b.recvExactly(2 * size);
    await Promise.all(sends);
    assert.equal(all.subarray(0, size).equals(Buffer.alloc(size, 'x')), true);
    assert.equal(all.subarray(size).equals(Buffer.alloc(size, 'y')), true);
  });

  test('send tells how much the system took', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    const sent = await a.send(Buffer.alloc(50_000_000));
    assert.ok(sent > 0 && sent < 50_000_000);
    await assert.rejects(a.send('x', { timeout: 0.02 }), TimeoutError);
    assert.equal((await b.recvExactly(sent)).length, sent);
    assert.equal(await a.send('x'), 1);
  });

  test('takes timeouts from settimeout, from the call, from a signal', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    a.settimeout(0.01);
    await assert.rejects(a.recv(1), { name: 'TimeoutError', message: /bytes of a socket timed out after 0.01 s/ });
    await assert.rejects(a.recv(1, { timeout: 0 }), { timeout: 0 });
    a.settimeout(undefined);
    await assert.rejects(a.recv(1, { signal: AbortSignal.abort() }), CancelledError);
    const controller = new AbortController();
    const wait = assert.rejects(a.recv(1, { signal: controller.signal }), CancelledError);
    controller.abort();
    await wait;
    await b.sendall('x');
    assert.equal(text(await a.recv(1)), 'x');
  });

  test('ends its waits with the asyncio task', () =>
    run(async () => {
      const [a, b] = socketpair();
      using _ = closing(a, b);
      const task = createTask(() => a.recv(10));
      await new Promise((resolve) => setImmediate(resolve));
      task.cancel();
      await assert.rejects(async () => task, CancelledError);
      await b.sendall('kept');
      assert.equal(text(await a.recv(10)), 'kept');
    }));

  test('several who wait are served in order', async () => {
    using server = await createServer(['127.0.0.1', 0]);
    const accepts = [server.accept(), server.accept()];
    const clients = [await createConnection(server.getsockname()), await createConnection(server.getsockname())];
    for (const [i, [served, peer]] of (await Promise.all(accepts)).entries()) {
      assert.deepEqual(peer, clients[i]!.getsockname());
      served.close();
    }
    for (const client of clients) client.close();
  });

  test('closed, it fails those who wait and every later call, once and for all', async () => {
    const before = openDescriptors();
    const [a, b] = socketpair();
    const wait = assert.rejects(a.recv(1), ClosedError);
    a.close();
    a.close();
    await wait;
    assert.equal(a.fileno(), -1);
    await assert.rejects(a.recv(1), ClosedError);
    await assert.rejects(a.sendall('x'), ClosedError);
    assert.throws(() => a.getsockname(), ClosedError);
    await assert.rejects(b.sendall('x'), { code: 'EPIPE' });
    b.close();
    assert.equal(openDescriptors(), before);
  });

  test('tells of a reset, with the address', async () => {
    using pair = await connected();
    const { client, served } = pair;
    const [host, port] = client.getsockname() as [string, number];
    const wait = served.recv(1);
    client.setOptions({ linger: 0 }).close();
    await assert.rejects(wait, (error) => {
      assert.ok(error instanceof SocketError);
      assert.equal(error.message, `ECONNRESET: connection reset by peer, recv '${host}:${port}'`);
      return error.address === host && error.port === port;
    });
  });

  test('detaches, is found again by its descriptor, and goes over to streams', async () => {
    using pair = await connected();
    const { client, served } = pair;
    const again = fromDescriptor(served.detach());
    assert.equal(served.closed, true);
    assert.deepEqual([again.family, again.type], [2, 1]);
    await client.sendall('line\nrest');
    assert.equal(text(await again.recvExactly(2)), 'li');
    const [reader, writer] = again.makeStreams();
    assert.equal(text(await reader.readline()), 'ne\n');
    writer.write('answer');
    writer.close();
    assert.equal(text(await client.recv(100)), 'answer');
    await writer.waitClosed();
    const one = new AbortController();
    const kept = client.dup();
    client.close();
    await assert.rejects(kept.recvExactly(3, { signal: one.signal }), IncompleteReadError);
    close(kept.detach());
  });

  test('does not give away what it has read for another call', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    await b.sendall('ab');
    await assert.rejects(a.recvExactly(3, { timeout: 0.01 }), TimeoutError);
    assert.throws(() => a.detach(), InvalidStateError);
    const [reader, writer] = a.makeStreams();
    assert.equal(text(await reader.read(2)), 'ab');
    writer.abort();
    await writer.waitClosed();
  });

  test('IPv6 and IPv4, apart or on one socket', async () => {
    using both = await createServer(['::', 0], { dualStack: true });
    const [, port] = both.getsockname();
    using four = await createConnection(['127.0.0.1', port]);
    const [a, [host]] = await both.accept();
    assert.equal(host, '::ffff:127.0.0.1');
    a.close();
    four.close();
    using only = await createServer(['::1', 0]);
    using six = socket(AF_INET6);
    await six.connect(only.getsockname());
    assert.equal(six.getpeername()[0], '::1');
  });

  test('tries all addresses of a host: the first that answers wins', async () => {
    const before = openDescriptors();
    using server = await createServer(['127.0.0.1', 0]);
    const [, port] = server.getsockname();
    // localhost is ::1 as well on most machines, where nobody listens.
    using client = await createConnection(['localhost', port], { timeout: 5 });
    assert.deepEqual(client.getpeername(), ['127.0.0.1', port]);
    client.close();
    server.close();
    assert.equal(openDescriptors(), before);
  });

  test('options by number and by name', () => {
    using server = socket();
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, true);
    assert.equal(server.getsockopt(SOL_SOCKET, SO_REUSEADDR), 1);
    server.setOptions({ keepAlive: 30, noDelay: true, receiveBuffer: 8192, linger: 3, reusePort: true });
    assert.equal(server.getsockopt(6, 4), 30);
    assert.equal(server.getsockopt(6, 1), 1);
    assert.equal(server.getsockopt(SOL_SOCKET, 8), 16_384);
    assert.deepEqual([...server.getsockopt(SOL_SOCKET, 13, 8)], [1, 0, 0, 0, 3, 0, 0, 0]);
    assert.throws(() => server.setOptions({ nodelay: true } as object), InvalidArgumentError);
    assert.throws(() => server.setsockopt(6, 9999, 1), { code: 'ENOPROTOOPT' });
  });

  test('sees an end that came together with the last bytes, watched already or not', async () => {
    for (const watched of [false, true]) {
      using pair = await connected();
      const { client, served } = pair;
      if (watched) await assert.rejects(served.recv(1, { timeout: 0.01 }), TimeoutError);
      await client.sendall('last words');
      client.close();
      // Before anybody reads.
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(text(await served.recv(100)), 'last words');
      assert.equal((await served.recv(100, { timeout: 5 })).length, 0);
      assert.equal((await served.recv(100, { timeout: 5 })).length, 0);
    }
  });

  test('a fast peer does not keep timers and others waiting', async () => {
    const [a, b] = socketpair();
    let received = 0;
    const reading = (async () => {
      for (;;) received += (await b.recv(10)).length;
    })();
    const sending = (async () => {
      for (;;) await a.sendall(Buffer.alloc(1000));
    })();
    // Both end only by what comes after the loop has turned.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setImmediate(resolve));
    a.close();
    b.close();
    await assert.rejects(reading, ClosedError);
    await assert.rejects(sending, (error) => error instanceof ClosedError || (error as SocketError).code === 'EPIPE');
    assert.ok(received > 0);
  });

  test('hears of its descriptor being closed by somebody else', async () => {
    const [a, b] = socketpair();
    using _ = closing(b);
    const wait = assert.rejects(a.recv(1), { name: 'ClosedError', message: /was closed while being waited for/ });
    close(a.fileno());
    await wait;
  });

  test('is not confused by a copy of a closed socket that lives on', async () => {
    const [a, b] = socketpair();
    await assert.rejects(a.recv(1, { timeout: 0.01 }), TimeoutError);
    const copy = a.dup();
    a.close();
    // Gets the number of the one that was closed.
    const [c, d] = socketpair();
    using _ = closing(b, copy, c, d);
    const wait = c.recv(10);
    await b.sendall('for the copy');
    assert.equal(text(await copy.recv(100)), 'for the copy');
    await d.sendall('for c');
    assert.equal(text(await wait), 'for c');
  });

  test('goes on in a forked child', async () => {
    const { stdout } = await program('socket/forked-accept', [], { fork: true });
    assert.equal(stdout, 'the child answered\n');
  });
});
