import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import { FramedConnection } from '../../src/ipc/framed-connection.ts';
import { ForkedChild } from '../../src/multiprocessing/forked-child.ts';

test('an answer that cannot be read ends its child, and the call fails with that', async () => {
  await withPair(async (ours, theirs) => {
    const child = new ForkedChild({ id: 1, daemon: true, hold: () => {} });
    child.connected(new FramedConnection(ours), ours);
    const call = child.host.call(() => 1, []);
    await once(theirs, 'data');
    theirs.write(Buffer.from([3, 0, 0, 0, 1, 2, 3]));
    theirs.end();
    child.exited({ code: null, signal: 'SIGKILL' });
    await assert.rejects(call, (error: Error) => {
      assert.equal(error.name, 'BrokenError');
      assert.equal((error.cause as Error).name, 'DecodeError');
      return true;
    });
  });
});

test('the end of a child is told after its last answer, although another process holds its socket', async () => {
  await withPair(async (ours, theirs) => {
    const child = new ForkedChild({ id: 1, daemon: true, hold: () => {} });
    child.connected(new FramedConnection(ours), ours);
    const [answered, lost] = [child.host.call(() => 1, []), child.host.call(() => 2, [])];
    await once(theirs, 'data');
    await new FramedConnection(theirs).sendBytes(serialize([['done', 0, 'answer']]));
    child.exited({ code: null, signal: 'SIGKILL' });
    assert.equal(await answered, 'answer');
    await assert.rejects(lost, { name: 'BrokenError' });
    assert.equal((await child.host.exited).signal, 'SIGKILL');
  });
});

test('a message to a child that is not there yet is the value as it was, or fails at once', async () => {
  await withPair(async (ours, theirs) => {
    const child = new ForkedChild({ id: 1, daemon: true, hold: () => {} });
    const value = { n: 1 };
    const call = child.host.call((one: { n: number }) => one.n, [value]);
    await assert.rejects(
      child.host.call((one: unknown) => one, [{ call: () => {} }]),
      { name: 'EncodeError', path: 'arguments[0].call' },
    );
    value.n = 2;
    child.connected(new FramedConnection(ours), ours);
    const received = new FramedConnection(theirs);
    let text = JSON.stringify(await received.recv());
    while (!text.includes('"call"')) text = JSON.stringify(await received.recv());
    assert.match(text, /\{"n":1\}/);
    await received.sendBytes(serialize([['done', 0, 1]]));
    child.exited({ code: 0, signal: null });
    await call.catch(() => {});
  });
});

async function withPair(body: (ours: Socket, theirs: Socket) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pair-'));
  const server = createServer().listen(join(folder, 's'));
  await once(server, 'listening');
  const theirs = createConnection(join(folder, 's'));
  const [ours] = (await once(server, 'connection')) as [Socket];
  try {
    await body(ours, theirs);
  } finally {
    ours.destroy();
    theirs.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

test('a message larger than can be told fails its call, and those around it go', async () => {
  await withPair(async (ours, theirs) => {
    const child = new ForkedChild({ id: 1, daemon: true, hold: () => {}, largest: 2000 });
    child.connected(new FramedConnection(ours), ours);
    const length = (bytes: Uint8Array) => bytes.length;
    const small = child.host.call(length, [new Uint8Array(10)]);
    await assert.rejects(child.host.call(length, [new Uint8Array(2000)]), {
      name: 'EncodeError',
      path: 'arguments',
      message: /a message of 20\d\d bytes, 2000 at most can be sent: share the memory, or send it in parts/,
    });
    await once(theirs, 'data');
    const other = new FramedConnection(theirs);
    await assert.rejects(other.sendBytes({ byteLength: 2 ** 32 } as Uint8Array), {
      name: 'RangeError',
      message: /a message of 4294967296 bytes, \d+ at most/,
    });
    await other.sendBytes(serialize([['done', 0, 10]]));
    assert.equal(await small, 10);
    child.exited({ code: 0, signal: null });
  });
});
