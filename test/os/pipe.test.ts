import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  close,
  dup,
  dup2,
  getBlocking,
  getInheritable,
  O_CLOEXEC,
  O_NONBLOCK,
  pipe,
  pipe2,
  read,
  setBlocking,
  setInheritable,
  tryRead,
  tryWrite,
  write,
} from '../../src/os/descriptor.ts';
import { fdopen } from '../../src/os/fdopen.ts';
import { libc } from '../../src/os/libc.ts';
import { sized } from '../fixtures/program.ts';

const notLinux = process.platform !== 'linux' && 'Linux has these';

test('what is written is read, in order, then comes the end', async () => {
  const [r, w] = pipe();
  assert.equal(await write(w, 'one '), 4);
  await write(w, Buffer.from('two'));
  assert.equal(String(await read(r, 100)), 'one two');
  const late = read(r, 100);
  close(w);
  assert.equal((await late).length, 0);
  assert.equal((await read(r, 100)).length, 0);
  close(r);
});

test('the end comes when the last of several writers closes', async () => {
  const [r, w] = pipe();
  const second = dup(w);
  close(w);
  await assert.rejects(read(r, 1, { timeout: 0.01 }), { name: 'TimeoutError' });
  close(second);
  assert.equal((await read(r, 1)).length, 0);
  close(r);
});

test('pipes are blocking and not inherited, pipe2 as told', () => {
  const plain = pipe();
  const nonblocking = pipe2(O_NONBLOCK | O_CLOEXEC);
  const inherited = pipe2(0);
  assert.deepEqual(plain.map(getBlocking), [true, true]);
  assert.deepEqual(plain.map(getInheritable), [false, false]);
  assert.deepEqual(nonblocking.map(getBlocking), [false, false]);
  assert.deepEqual(inherited.map(getInheritable), [true, true]);
  setBlocking(nonblocking[0], true);
  setInheritable(inherited[0], false);
  assert.deepEqual([getBlocking(nonblocking[0]), getInheritable(inherited[0])], [true, false]);
  for (const fd of [...plain, ...nonblocking, ...inherited]) close(fd);
});

test('tryRead and tryWrite say "not now" by undefined', () => {
  const [r, w] = pipe2(O_NONBLOCK | O_CLOEXEC);
  assert.equal(tryRead(r, 10), undefined);
  while (tryWrite(w, Buffer.alloc(65536)) !== undefined);
  assert.ok(tryRead(r, 10));
  close(r);
  close(w);
});

test('a write larger than the pipe waits for its reader', async () => {
  const [r, w] = pipe();
  const data = randomBytes(1_000_000);
  const written = write(w, data);
  const parts: Buffer[] = [];
  for (let size = 0; size < data.length; size += parts.at(-1)!.length) parts.push(await read(r, 65536));
  assert.equal(await written, data.length);
  assert.ok(Buffer.concat(parts).equals(data));
  await assert.rejects(write(w, data, { timeout: 0.01 }), { name: 'TimeoutError' });
  close(r);
  close(w);
});

test('writing without a reader is EPIPE naming the descriptor', async () => {
  const [r, w] = pipe();
  close(r);
  await assert.rejects(write(w, 'x'), { name: 'SystemError', code: 'EPIPE', syscall: 'write', fd: w });
  const stream = fdopen(w, 'w');
  const failed = once(stream, 'error');
  stream.write('x');
  const [error] = await failed;
  assert.equal(error.code, 'EPIPE');
  assert.equal(error.fd, w);
  assert.match(error.message, new RegExp(`^EPIPE: .* fd ${w}$`));
});

test('closed descriptors are EBADF naming them', async () => {
  const [r, w] = pipe();
  close(r);
  close(w);
  for (const call of [() => close(r), () => fdopen(r, 'r'), () => getBlocking(r), () => dup(r), () => dup2(r, 50)])
    assert.throws(call, { name: 'SystemError', code: 'EBADF', fd: r });
  await assert.rejects(read(r, 1), { code: 'EBADF', fd: r });
  await assert.rejects(write(w, 'x'), { code: 'EBADF', fd: w });
});

test('dup2 makes one descriptor another', async () => {
  const [r, w] = pipe();
  const [r2, w2] = pipe();
  assert.equal(dup2(w, w2), w2);
  assert.equal(getInheritable(w2), true);
  dup2(w, w2, false);
  assert.equal(getInheritable(w2), false);
  await write(w2, 'through the copy');
  assert.equal(String(await read(r, 100)), 'through the copy');
  for (const fd of [r, w, r2, w2]) close(fd);
});

test('bad arguments are named', async () => {
  assert.throws(() => close(-1), { name: 'InvalidArgumentError', argument: 'fd' });
  assert.throws(() => fdopen(0, 'x' as 'r'), { name: 'InvalidArgumentError', argument: 'mode' });
  await assert.rejects(read(0, 1.5), { name: 'InvalidArgumentError', argument: 'size' });
});

test('streams carry many bytes unharmed', async () => {
  const size = sized(64, 8) * 2 ** 20;
  const [r, w] = pipe();
  const sent = createHash('sha256');
  const got = createHash('sha256');
  const producer = (async () => {
    const out = fdopen(w, 'w');
    const block = randomBytes(65536);
    for (let at = 0; at < size; at += block.length) {
      block.writeUInt32LE(at, 0);
      sent.update(block);
      if (!out.write(Buffer.from(block))) await once(out, 'drain');
    }
    out.end();
  })();
  let bytes = 0;
  for await (const chunk of fdopen(r, 'r') as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    got.update(chunk);
  }
  await producer;
  assert.equal(bytes, size);
  assert.equal(got.digest('hex'), sent.digest('hex'));
});

test('a slow reader holds the writer back', async () => {
  const [r, w] = pipe();
  const out = fdopen(w, 'w');
  const input = fdopen(r, 'r');
  let accepted = 0;
  while (accepted < 100 * 2 ** 20) {
    accepted += 65536;
    if (!out.write(Buffer.alloc(65536))) {
      const drained = await Promise.race([
        once(out, 'drain'),
        new Promise((resolve) => setTimeout(resolve, 50, 'full')),
      ]);
      if (drained === 'full') break;
    }
  }
  // The pipe, both streams' buffers and a chunk on its way; nothing like what the writer would have liked.
  assert.ok(accepted < 1_000_000, `${accepted} bytes were taken with nobody reading`);
  input.destroy();
  out.on('error', () => {}).destroy();
});

test('files and devices are streams too, read and written where they stand', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'simul-fdopen-'));
  const path = join(directory, 'file');
  const out = fdopen(openSync(path, 'w'), 'w');
  out.write('one\n');
  out.end('two\n');
  await once(out, 'close');
  const fd = openSync(path, 'r');
  assert.equal(String(await read(fd, 4)), 'one\n');
  let rest = '';
  for await (const chunk of fdopen(fd, 'r')) rest += String(chunk);
  assert.equal(rest, 'two\n');
  assert.throws(() => fdopen(fd, 'r'), { code: 'EBADF' });
  const gone = new AbortController();
  const aborted = fdopen(openSync(path, 'r'), 'r', { signal: gone.signal });
  gone.abort();
  assert.equal(((await once(aborted, 'error')) as [Error])[0].name, 'AbortError');
  const nothing = fdopen(openSync('/dev/null', 'r'), 'r').resume();
  await once(nothing, 'close');
  const folder = openSync(directory, 'r');
  assert.throws(() => fdopen(folder, 'r'), { code: 'EISDIR' });
  close(folder);
  rmSync(directory, { recursive: true });
});

test('a terminal is a stream too', { skip: !terminals() && 'there are no pseudo-terminals here' }, async () => {
  const [leader, follower] = pseudoTerminal();
  const out = fdopen(follower, 'w');
  const input = fdopen(leader, 'r');
  out.write('hello\n');
  assert.match(String(((await once(input, 'data')) as [Buffer])[0]), /^hello\r?\n/);
  const ended = [once(out, 'close'), once(input, 'close')];
  out.destroy();
  input.on('error', () => {}).destroy();
  await Promise.all(ended);
});

test('what cannot be a stream is refused, and stays open', { skip: notLinux }, () => {
  const fd = libc('int eventfd(unsigned int count, int flags)')(0, O_CLOEXEC);
  const datagrams = libc('int socket(int family, int type, int protocol)')(1, 2, 0);
  for (const each of [fd, datagrams]) {
    assert.throws(() => fdopen(each, 'r'), { name: 'InvalidArgumentError', argument: 'fd' });
    close(each);
  }
});

test('a hundred idle pipes leave the thread pool free', async () => {
  const pipes = Array.from({ length: 100 }, () => pipe());
  const streams = pipes.map(([r]) => fdopen(r, 'r').resume());
  assert.ok((await readFile('/proc/self/comm')).length > 0);
  for (const [, w] of pipes) close(w);
  await Promise.all(streams.map((stream) => once(stream, 'close')));
});

function terminals(): boolean {
  return process.platform === 'linux' && existsSync('/dev/ptmx') && existsSync('/dev/pts');
}

function pseudoTerminal(): [leader: number, follower: number] {
  const leader = libc('int posix_openpt(int flags)')(2 | O_CLOEXEC);
  assert.equal(libc('int grantpt(int fd)')(leader), 0);
  assert.equal(libc('int unlockpt(int fd)')(leader), 0);
  const name = (libc('const char *ptsname(int fd)') as unknown as (fd: number) => string)(leader);
  return [leader, openSync(name, constants.O_RDWR | constants.O_NOCTTY)];
}

test(
  'a stream destroyed by its own listener reads nothing more, even of what gets its number',
  { skip: notLinux },
  async () => {
    const [r, w] = pipe();
    const stream = fdopen(r, 'r');
    const ended = once(stream, 'close');
    // As much as is read at once: there might be more.
    libc('int fcntl(int fd, int cmd, int arg)')(w, 1031, 262_144);
    await write(w, Buffer.alloc(262_144));
    close(w);
    let next: [r: number, w: number] | undefined;
    const chunks: number[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk.length);
      if (next !== undefined) return;
      stream.destroy();
      next = pipe2(O_NONBLOCK | O_CLOEXEC);
      tryWrite(next[1], Buffer.from('of another'));
    });
    await ended;
    assert.deepEqual(chunks, [262_144]);
    assert.equal(next![0], r);
    assert.equal(String(tryRead(r, 100)), 'of another');
    for (const fd of next!) close(fd);
  },
);
