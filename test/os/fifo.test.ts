import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { mkfifo, openFifo, PIPE_BUF } from '../../src/os/fifo.ts';
import { program, sized } from '../fixtures/program.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simul-fifo-'));
  path = join(directory, 'fifo');
});
afterEach(() => rmSync(directory, { recursive: true }));

const notLinux = process.platform !== 'linux' && 'progress is read from /proc';
const openFds = () => readdirSync('/proc/self/fd').length;

test('mkfifo makes a FIFO of the given mode, once', () => {
  mkfifo(path, 0o600);
  assert.equal(statSync(path).isFIFO(), true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => mkfifo(path), { name: 'SystemError', code: 'EEXIST', syscall: 'mkfifo', path });
  assert.throws(() => mkfifo(join(directory, 'no', 'where')), { code: 'ENOENT' });
  assert.throws(() => mkfifo('a\0b'), { name: 'InvalidArgumentError' });
});

test('both ends wait for each other, whoever comes first', async () => {
  mkfifo(path);
  for (const order of ['rw', 'wr']) {
    const opening: Promise<unknown>[] = [];
    const ends: { r?: NodeJS.ReadableStream; w?: NodeJS.WritableStream } = {};
    for (const mode of order) {
      opening.push(
        mode === 'r'
          ? openFifo(path, 'r', { timeout: 10 }).then((stream) => (ends.r = stream))
          : openFifo(path, 'w', { timeout: 10 }).then((stream) => (ends.w = stream)),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(opening);
    ends.w!.end(`order ${order}`);
    let text = '';
    for await (const chunk of ends.r!) text += String(chunk);
    assert.equal(text, `order ${order}`);
  }
});

test('a program that knows the path is talked to, both ways', async () => {
  mkfifo(path);
  const echo = spawn('sh', ['-c', `echo from the shell > '${path}'`]);
  const echoed = once(echo, 'close');
  let text = '';
  for await (const chunk of await openFifo(path, 'r', { timeout: 10 })) text += String(chunk);
  assert.equal(text, 'from the shell\n');
  const cat = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  (await openFifo(path, 'w', { timeout: 10 })).end('to cat');
  assert.equal(String((await once(cat.stdout, 'data'))[0]), 'to cat');
  await Promise.all([echoed, once(cat, 'close')]);
});

test('opening gives up on time and on abort, leaving no descriptor', async () => {
  mkfifo(path);
  await openFifo(path, 'r', { timeout: 0.001 }).catch(() => {}); // whatever is opened once is open now
  const fds = openFds();
  for (const mode of ['r', 'w'] as const) {
    await assert.rejects(openFifo(path, mode as 'r', { timeout: 0.01 }), {
      name: 'TimeoutError',
      message: /nobody opened the other end/,
    });
    await assert.rejects(openFifo(path, mode as 'r', { signal: AbortSignal.timeout(10) }), { name: 'CancelledError' });
    await assert.rejects(openFifo(path, mode as 'r', { signal: AbortSignal.abort() }), { name: 'CancelledError' });
  }
  assert.equal(openFds(), fds);
});

test('what is no FIFO is refused, in the words of the system', async () => {
  writeFileSync(path, '');
  for (const mode of ['r', 'w'] as const) {
    const open = (path: string) => openFifo(path, mode as 'r');
    await assert.rejects(open(path), { name: 'SystemError', code: 'EINVAL', path, message: /not a FIFO/ });
    await assert.rejects(open(join(directory, 'none')), { code: 'ENOENT', syscall: 'open' });
  }
  await assert.rejects(openFifo(path, 'x' as 'r'), { name: 'InvalidArgumentError' });
});

test('the stream ends when the last writer leaves, or goes on with the next one', async () => {
  mkfifo(path);
  const reading = openFifo(path, 'r', { whenWritersLeave: 'reopen', timeout: 10 });
  (await openFifo(path, 'w', { timeout: 10 })).end('first ');
  const stream = await reading;
  const texts: string[] = [];
  for await (const chunk of stream) {
    texts.push(String(chunk));
    if (texts.length === 1) (await openFifo(path, 'w', { timeout: 10 })).end('second');
    else break;
  }
  assert.deepEqual(texts, ['first ', 'second']);
  // Leaving the loop closed it: nobody reads any more.
  await assert.rejects(openFifo(path, 'w', { timeout: 0.01 }), { name: 'TimeoutError' });
});

test('a hundred idle FIFOs wait at once without holding the thread pool', async () => {
  const paths = Array.from({ length: 100 }, (_, i) => join(directory, `fifo${i}`));
  for (const name of paths) mkfifo(name);
  const control = new AbortController();
  setMaxListeners(0, control.signal);
  const opening = paths.map((name, i) =>
    openFifo(name, (i % 2 === 0 ? 'r' : 'w') as 'r', { signal: control.signal }).then(
      (stream) => stream,
      () => undefined,
    ),
  );
  assert.ok((await readFile('/proc/self/comm')).length > 0);
  const writer = await openFifo(paths[0]!, 'w', { timeout: 10 });
  writer.end('one of them');
  assert.equal(String((await once((await opening[0])!, 'data'))[0]), 'one of them');
  control.abort();
  const rest = await Promise.all(opening);
  assert.equal(rest.filter((stream) => stream !== undefined).length, 1);
});

test('without inotify it still opens, by looking', async () => {
  mkfifo(path);
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  Object.defineProperty(process, 'platform', { ...platform, value: 'freebsd' });
  try {
    const [writer, reader] = await Promise.all([
      openFifo(path, 'w', { timeout: 10 }),
      openFifo(path, 'r', { timeout: 10 }),
    ]);
    writer.end('looked');
    assert.equal(String((await once(reader, 'data'))[0]), 'looked');
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
});

test('writes of up to PIPE_BUF stay whole among several writers', async () => {
  mkfifo(path);
  // Not a divisor of the page, at whose borders longer writes are cut.
  const size = 3001;
  assert.ok(size <= PIPE_BUF);
  const records = sized(2000, 600);
  const reading = openFifo(path, 'r', { timeout: 20, whenWritersLeave: 'reopen' });
  const writers = ['a', 'b', 'c'].map((letter) =>
    program('os/fifo-writer', [path, letter, String(records), String(size)]),
  );
  let rest = Buffer.alloc(0);
  const seen: Record<string, number> = {};
  for await (const chunk of (await reading) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= size; rest = rest.subarray(size)) {
      const record = String(rest.subarray(0, size));
      const letter = record[0]!;
      assert.equal(record, letter.repeat(size), 'two writers in one record');
      seen[letter] = (seen[letter] ?? 0) + 1;
    }
    if (Object.values(seen).reduce((sum, n) => sum + n, 0) === 3 * records) break;
  }
  for (const { code, stderr } of await Promise.all(writers)) assert.equal(code, 0, stderr);
  assert.equal(rest.length, 0);
  assert.deepEqual(seen, { a: records, b: records, c: records });
});

test('many bytes arrive unharmed', async () => {
  mkfifo(path);
  const size = sized(64, 8) * 2 ** 20;
  const cat = spawn('sh', ['-c', `head -c ${size} /dev/urandom | tee '${path}' | sha256sum`]);
  const [closed, summed] = [once(cat, 'close'), once(cat.stdout, 'data')];
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of (await openFifo(path, 'r', { timeout: 10 })) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  assert.equal(bytes, size);
  assert.equal(String((await summed)[0]).slice(0, 64), hash.digest('hex'));
  await closed;
});

test('a slow reader holds the writer back, and nothing piles up on this side', { skip: notLinux }, async () => {
  mkfifo(path);
  const size = sized(64, 8) * 2 ** 20;
  const end = openSync(path, 'r+');
  const writer = spawn('head', ['-c', String(size), '/dev/zero'], { stdio: ['ignore', end, 'inherit'] });
  const closed = once(writer, 'close');
  const reader = await openFifo(path, 'r', { timeout: 10 });
  closeSync(end);
  // It has come to rest: what it has written no longer grows.
  const written = (): number => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${writer.pid}/io`, 'utf8'))![1]);
  let before = -1;
  for (let still = 0; still < 5; still = written() === before ? still + 1 : 0) {
    before = written();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // The FIFO, the stream's buffer and a chunk on its way.
  assert.ok(before < 500_000, `${before} bytes were written with nobody reading`);
  assert.ok(reader.readableLength <= 2 * 65536, `${reader.readableLength} bytes are held`);
  let bytes = 0;
  let most = 0;
  for await (const chunk of reader as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, reader.readableLength);
  }
  assert.equal(bytes, size);
  assert.ok(most <= 2 * 65536, `${most} bytes were held`);
  await closed;
});

test('a slow program holds our writer back', async () => {
  mkfifo(path);
  const sleeper = spawn('sh', ['-c', `exec sleep 60 < '${path}'`]);
  const closed = once(sleeper, 'close');
  const writer = await openFifo(path, 'w', { timeout: 10 });
  let accepted = 0;
  while (accepted < 2 ** 24) {
    accepted += 65536;
    if (writer.write(Buffer.alloc(65536))) continue;
    // What the FIFO has room for is taken within a few turns of the loop.
    for (let turn = 0; turn < 50 && writer.writableNeedDrain; turn++)
      await new Promise((resolve) => setImmediate(resolve));
    if (writer.writableNeedDrain) break;
  }
  assert.ok(accepted < 500_000, `${accepted} bytes were taken with nobody reading`);
  writer.on('error', () => {}).destroy();
  sleeper.kill();
  await closed;
});

test('the last reader leaving is EPIPE with the descriptor', async () => {
  mkfifo(path);
  const [writer, reader] = await Promise.all([openFifo(path, 'w'), openFifo(path, 'r')]);
  reader.destroy();
  await once(reader, 'close');
  const failed = once(writer, 'error');
  writer.write('x');
  const [error] = await failed;
  assert.equal(error.code, 'EPIPE');
  assert.equal(typeof error.fd, 'number');
  assert.equal(existsSync(path), true);
  closeSync(openSync(path, 'r+'));
});
