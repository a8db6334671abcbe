import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { AsyncLocalStorage } from 'node:async_hooks';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { close, dup2, pipe, read, tryRead, tryWrite, write } from '../../src/os/descriptor.ts';
import { watchFile } from '../../src/os/inotify.ts';
import { libc } from '../../src/os/libc.ts';
import { pidfdOpen, processExit } from '../../src/os/pidfd.ts';
import { Poll, poll, POLLHUP, POLLIN, POLLOUT } from '../../src/os/poll.ts';
import { sized } from '../fixtures/program.ts';

let directory: string;
before(() => (directory = mkdtempSync(join(tmpdir(), 'simul-poll-'))));
after(() => rmSync(directory, { recursive: true }));

const openFds = () => readdirSync('/proc/self/fd').length;

test('an eventfd is ready to read once it was written to, and to write before', async () => {
  const fd = libc('int eventfd(unsigned int value, int flags)')(0, 0o2004000);
  assert.equal(await poll(fd, POLLOUT), POLLOUT);
  await assert.rejects(poll(fd, POLLIN, { timeout: 0.01 }), { name: 'TimeoutError' });
  const ready = poll(fd, POLLIN);
  tryWrite(fd, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
  assert.equal(await ready, POLLIN);
  close(fd);
});

test('closing a descriptor, or dup2 onto it, ends the waits on it and names it', async () => {
  const [r, w] = pipe();
  const failed = { name: 'ClosedError', message: `fd ${r} was closed while being waited for` };
  const waits = [read(r, 1), poll(r, POLLIN), read(r, 1)].map((wait) => assert.rejects(wait, failed));
  close(r);
  await Promise.all(waits);
  const [again, w2] = pipe();
  const wait = assert.rejects(read(again, 1), { name: 'ClosedError' });
  await new Promise((resolve) => setImmediate(resolve)); // epoll knows it by now
  const [other, w3] = pipe();
  dup2(other, again, false);
  await wait;
  tryWrite(w3, Buffer.from('x'));
  assert.equal(String(await read(again, 1)), 'x');
  for (const fd of [w, again, w2, other, w3]) close(fd);
});

test('what a listener leaves to microtasks and ticks is done before anything else', async () => {
  const [r, w] = pipe();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    const watch = new Poll(r, () => {
      watch.close();
      queueMicrotask(() => order.push('microtask'));
      process.nextTick(() => order.push('tick'));
      setTimeout(() => resolve(order.push('timer') as unknown as void), 1);
    });
    watch.start(POLLIN);
    tryWrite(w, Buffer.from('x'));
  });
  assert.deepEqual(order, ['tick', 'microtask', 'timer']);
  for (const fd of [r, w]) close(fd);
});

test('events that are none are refused', async () => {
  const [r, w] = pipe();
  const before = openFds();
  for (const events of [0, 16, -1, 1.5])
    await assert.rejects(poll(r, events), { name: 'InvalidArgumentError', message: /^events/ });
  using watch = new Poll(r, () => {});
  assert.throws(() => watch.start(16), { name: 'InvalidArgumentError' });
  assert.equal(openFds(), before);
  for (const fd of [r, w]) close(fd);
});

test('a pidfd is ready when the process has ended', async () => {
  const child = spawn('sleep', ['30']);
  const fd = pidfdOpen(child.pid!);
  await assert.rejects(poll(fd, POLLIN, { timeout: 0.01 }), { name: 'TimeoutError' });
  const exited = once(child, 'exit');
  child.kill();
  await poll(fd, POLLIN);
  close(fd);
  await exited;
  await processExit(child.pid!); // gone: at once
});

test('UNIX datagram and listening sockets', async () => {
  const socket = libc('int socket(int family, int type, int protocol)');
  const [a, b] = socketpair(2);
  const datagram = poll(a, POLLIN);
  tryWrite(b, Buffer.from('datagram'));
  await datagram;
  assert.equal(String(tryRead(a, 100)), 'datagram');
  const listener = socket(1, 1, 0);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(join(directory, 'listener'), 2);
  assert.equal(libc('int bind(int fd, void *address, unsigned int size)')(listener, address, 110), 0);
  assert.equal(libc('int listen(int fd, int backlog)')(listener, 5), 0);
  const connection = poll(listener, POLLIN);
  const client = socket(1, 1, 0);
  assert.equal(libc('int connect(int fd, void *address, unsigned int size)')(client, address, 110), 0);
  assert.equal(await connection, POLLIN);
  for (const fd of [a, b, listener, client]) close(fd);
});

test('inotify tells of writes', async () => {
  const path = join(directory, 'watched');
  writeFileSync(path, '');
  const changed = new Promise<void>((resolve) => {
    const unwatch = watchFile(path, () => (unwatch(), resolve()))!;
  });
  writeFileSync(path, 'x');
  const hold = setTimeout(() => {}, 5000); // watches alone do not keep the program alive
  await changed;
  clearTimeout(hold);
});

test('hang-up is told', async () => {
  const [r, w] = pipe();
  const gone = poll(r, POLLHUP | POLLIN);
  close(w);
  assert.ok((await gone) & POLLHUP);
  close(r);
});

test('a regular file is refused with the reason', async () => {
  const fd = openSync(join(directory, 'file'), 'w');
  await assert.rejects(poll(fd, POLLIN), { code: 'EPERM', syscall: 'uv_poll_init', fd });
  closeSync(fd);
  await assert.rejects(poll(fd, POLLIN), { code: 'EBADF' });
  await assert.rejects(poll(-1, POLLIN), { name: 'InvalidArgumentError' });
});

test('abort, before and during', async () => {
  const [r, w] = pipe();
  await assert.rejects(poll(r, POLLIN, { signal: AbortSignal.abort() }), { name: 'CancelledError' });
  const control = new AbortController();
  const waiting = poll(r, POLLIN, { signal: control.signal });
  control.abort();
  await assert.rejects(waiting, { name: 'CancelledError' });
  close(r);
  close(w);
});

test('two watches of one descriptor see the same, and close apart', async () => {
  const [r, w] = pipe();
  const [first, second] = [poll(r, POLLIN), poll(r, POLLIN)];
  await write(w, 'x');
  await Promise.all([first, second]);
  close(r);
  close(w);
});

test('the listener runs in the context of its maker, with microtasks and ticks right after it', async () => {
  const storage = new AsyncLocalStorage<string>();
  const [r, w] = pipe();
  const log: string[] = [];
  await write(w, 'x');
  await new Promise<void>((resolve) => {
    storage.run('context', () => {
      const watch = new Poll(r, () => {
        watch.close();
        log.push(`listener in ${storage.getStore()}`);
        setImmediate(() => (log.push('immediate'), resolve()));
        process.nextTick(() => log.push('tick'));
        queueMicrotask(() => log.push('microtask'));
      }).start(POLLIN);
    });
  });
  assert.deepEqual(log, ['listener in context', 'tick', 'microtask', 'immediate']);
  close(r);
  close(w);
});

test('who was waiting goes on at once, though nothing else happens', async () => {
  const [r, w] = pipe();
  let late = false;
  const timer = setTimeout(() => (late = true), 20_000);
  tryWrite(w, Buffer.from('x'));
  await poll(r, POLLIN);
  assert.equal(late, false);
  clearTimeout(timer);
  close(r);
  close(w);
});

test('a watch that is stopped, or closed twice, is quiet; starting it then fails', () => {
  const [r, w] = pipe();
  const watch = new Poll(r, () => assert.fail('called')).start(POLLIN);
  watch.stop();
  watch.close();
  watch.close();
  assert.throws(() => watch.start(POLLIN), { name: 'ClosedError' });
  close(r);
  close(w);
});

test('watches leave nothing behind', async () => {
  const [r, w] = pipe();
  const fds = openFds();
  for (let i = 0; i < 3000; i++) await poll(w, POLLOUT);
  assert.equal(openFds(), fds);
  close(r);
  close(w);
});

test('a hundred idle watches leave the thread pool alone', async () => {
  const pipes = Array.from({ length: 100 }, () => pipe());
  const watches = pipes.map(([r]) => new Poll(r, () => {}).start(POLLIN));
  assert.ok((await readFile('/proc/self/comm')).length > 0);
  for (const watch of watches) watch.close();
  for (const fd of pipes.flat()) close(fd);
});

test('works in a worker', async () => {
  const [text] = await once(startWorker('work'), 'message');
  assert.equal(text, 'from a worker');
});

test('a worker with open watches can be terminated', async () => {
  for (let i = 0; i < sized(50, 8); i++) {
    const worker = startWorker('idle');
    await once(worker, 'message');
    await worker.terminate();
  }
});

function startWorker(workerData: string): Worker {
  return new Worker(new URL('../fixtures/os/poll-worker.js', import.meta.url), { workerData });
}

function socketpair(type: number): [number, number] {
  const ends = [0, 0];
  const call = libc('int socketpair(int family, int type, int protocol, _Out_ int *ends)');
  assert.equal(call(1, type | 0o4000, 0, ends), 0);
  return ends as [number, number];
}

test('a timeout of 0 looks: what is ready is told every time, and what is not is late', async () => {
  const [r, w] = pipe();
  for (let i = 0; i < 200; i++) {
    await assert.rejects(poll(r, POLLIN, { timeout: 0 }), { name: 'TimeoutError' });
    await write(w, 'x');
    assert.equal(await poll(r, POLLIN, { timeout: 0 }), POLLIN);
    assert.equal(await poll(w, POLLOUT, { timeout: 0 }), POLLOUT);
    await read(r, 1);
  }
  close(w);
  assert.ok((await poll(r, POLLIN, { timeout: 0 })) & POLLIN); // at its end
  close(r);
});
