// Writers that keep a pipe full: it is made larger, read past its lock, and its chunks are kept or lent.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { close, pipe, write } from '../../src/os/descriptor.ts';
import { fdopen } from '../../src/os/fdopen.ts';
import type { FdopenOptions } from '../../src/os/fdopen.ts';
import { mkfifo, openFifo } from '../../src/os/fifo.ts';
import { SidePipe } from '../../src/os/side-pipe.ts';
import { Popen } from '../../src/subprocess/popen.ts';
import { sized } from '../fixtures/program.ts';

const notLinux = process.platform !== 'linux' && 'Linux has these';
const directory = mkdtempSync(join(tmpdir(), 'simul-hurry-'));
const path = join(directory, 'bytes');
const bytes = randomBytes(sized(64, 8) * 2 ** 20);
writeFileSync(path, bytes);
after(() => rmSync(directory, { recursive: true }));

const sum = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

function fromHurriedWriter(options: FdopenOptions): { stream: Readable; ended: Promise<unknown> } {
  const [r, w] = pipe();
  const writer = new Popen(['dd', `if=${path}`, 'bs=65536', 'status=none'], { stdout: w });
  close(w);
  return { stream: fdopen(r, 'r', options), ended: writer.wait() };
}

test('chunks that are kept stay what they were', async () => {
  const { stream, ended } = fromHurriedWriter({});
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  await ended;
  assert.equal(sum(Buffer.concat(chunks)), sum(bytes));
});

test('a chunk that is lent is valid until the next one is asked for', async () => {
  const { stream, ended } = fromHurriedWriter({ reuseBuffer: true });
  const hash = createHash('sha256');
  const memory = new Set<ArrayBufferLike>();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    memory.add(chunk.buffer);
    // The writer fills the pipe again meanwhile.
    await nextTurn();
    await nextTurn();
    hash.update(chunk);
  }
  await ended;
  assert.equal(hash.digest('hex'), sum(bytes));
  assert.ok(memory.size <= 2, `${memory.size} pieces of memory`);
});

test('chunks are lent to listeners too, and to the reader of a FIFO', async () => {
  const fifo = join(directory, 'fifo');
  mkfifo(fifo);
  const writer = new Popen(['dd', `if=${path}`, `of=${fifo}`, 'bs=65536', 'status=none']);
  const hash = createHash('sha256');
  const stream = await openFifo(fifo, 'r', { reuseBuffer: true, timeout: 20 });
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  await writer.wait();
  assert.equal(hash.digest('hex'), sum(bytes));
});

test(
  'the pipe beside the pipe is there for hurried writers only, and goes with the stream',
  { skip: notLinux },
  async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const { stream, ended } = fromHurriedWriter({});
    const atFirst = descriptors();
    let most = 0;
    let got = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      most = Math.max(most, descriptors());
      // The writer is seen to be in a hurry only where it finds the time to fill the pipe.
      await nextTurn();
      if ((got += chunk.length) > bytes.length / 2) break;
    }
    await ended;
    assert.equal(most, atFirst + 2);
    assert.ok(descriptors() <= before, `${before} descriptors before, ${descriptors()} after`);
  },
);

test('a reader that is not in the mood holds a hurried writer back', async () => {
  const { stream, ended } = fromHurriedWriter({ reuseBuffer: true });
  const first = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
  stream.pause();
  const copy = Buffer.from(first);
  await nextTurn();
  await nextTurn();
  assert.equal(sum(first), sum(copy));
  stream.destroy();
  // Without its reader the writer ends by SIGPIPE.
  await ended;
});

test('chunks that are lent are not overwritten while `read(n)` waits for more of them', async () => {
  const [r, w] = pipe();
  const stream = fdopen(r, 'r', { reuseBuffer: true });
  stream.on('readable', () => {});
  for (const part of ['aaa', 'bbb', 'ccc', 'ddd', 'eee']) {
    const before = stream.readableLength;
    await write(w, part);
    while (stream.readableLength === before) {
      assert.equal(stream.read(16), null);
      await nextTurn();
    }
  }
  assert.equal(String(stream.read(15)), 'aaabbbcccdddeee');
  close(w);
  stream.destroy();
});

test('where splice is refused the pipe is read as before', { skip: notLinux }, async () => {
  const refused = mock.method(SidePipe.prototype, 'readInto', () => 'refused');
  try {
    const { stream, ended } = fromHurriedWriter({});
    const hash = createHash('sha256');
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await nextTurn();
    }
    await ended;
    assert.equal(refused.mock.callCount(), 1);
    assert.equal(hash.digest('hex'), sum(bytes));
  } finally {
    refused.mock.restore();
  }
});

test('a side pipe tells of a splice that is refused', { skip: notLinux }, () => {
  const side = SidePipe.open(65_536)!;
  const folder = openSync(directory, 'r');
  assert.equal(side.readInto(folder, Buffer.alloc(10), 10), 'refused');
  close(folder);
  side.close();
});
