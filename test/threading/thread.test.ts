import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printTaskTree } from '../../src/entry/asyncio.ts';
import { BrokenError, InvalidStateError, TimeoutError } from '../../src/base/errors.ts';
import {
  activeCount,
  currentThread,
  enumerate,
  excepthook,
  Event,
  Lock,
  local,
  lockReport,
  formatLockReport,
  setExcepthook,
  Thread,
  Timer,
} from '../../src/entry/threading.ts';
import type { ExceptHookArgs } from '../../src/entry/threading.ts';
import { fromModule } from '../../src/callable/from-module.ts';

const parties = fromModule<typeof import('./thread-parties.js')>(new URL('./thread-parties.js', import.meta.url));

test('a thread runs a function and gives its result', async () => {
  const thread = new Thread((a: number, b: number) => a + b, [2, 3], { name: 'adder' });
  assert.equal(thread.ident, undefined);
  assert.equal(thread.isAlive(), false);
  await assert.rejects(thread.join(), InvalidStateError);
  assert.equal(thread.start(), thread);
  assert.equal(thread.isAlive(), true);
  assert.throws(() => thread.start(), InvalidStateError);
  assert.equal(await thread.join(), 5);
  assert.equal(await thread.join(), 5);
  assert.equal(thread.isAlive(), false);
  assert.equal(thread.name, 'adder');
});

test('a thread knows itself, and its starter knows it', async () => {
  const go = new Event();
  const known = new Event();
  const thread = new Thread(parties.whoAmI, [known, go], { name: 'me' }).start();
  await known.wait();
  assert.deepEqual(
    enumerate().map(({ name }) => name),
    ['MainThread', 'me'],
  );
  assert.equal(activeCount(), 2);
  go.set();
  const own = await thread.join();
  assert.deepEqual(own, { name: 'me', ident: thread.ident, nativeId: thread.nativeId });
  assert.notEqual(thread.nativeId, currentThread().nativeId);
  assert.equal(activeCount(), 1);
});

test('what a thread throws comes out of join, or goes to the hook if nobody joins', async () => {
  const failing = new Thread(() => JSON.parse('{'), []).start();
  await assert.rejects(failing.join(), SyntaxError);
  let seen!: (args: ExceptHookArgs) => void;
  const told = new Promise<ExceptHookArgs>((resolve) => (seen = resolve));
  const all: unknown[] = [];
  const before = setExcepthook((args) => (all.push(args.error), seen(args)));
  const unseen = new Thread(() => JSON.parse('['), []).start();
  const { error, thread } = await told;
  excepthook({ error: 'by hand', thread: currentThread() });
  setExcepthook(before);
  assert.equal((error as Error).name, 'SyntaxError');
  assert.equal(thread, unseen);
  assert.deepEqual(all, [error, 'by hand']);
});

test('a join that times out leaves the thread', async () => {
  const go = new Event();
  const thread = new Thread((event: Event) => event.waitSync(), [go]).start();
  await assert.rejects(thread.join({ timeout: 0.01 }), TimeoutError);
  go.set();
  assert.equal(await thread.join(), true);
});

test('a terminated thread leaves its lock to the next', async () => {
  const lock = new Lock();
  const taken = new Event();
  const thread = new Thread(parties.holdForEver, [lock, taken]).start();
  await taken.wait();
  const broken = assert.rejects(thread.join(), BrokenError);
  await thread.terminate();
  await broken;
  await lock.acquire({ timeout: 30 });
  assert.equal(lock.recovered, true);
});

test('a timer runs in due time, or not at all', async () => {
  assert.equal(await new Timer(0.001, (n: number) => n, [3]).start().join(), 3);
  const never = new Timer(1000, () => 1, []).start();
  never.cancel();
  assert.equal(await never.join(), undefined);
  assert.throws(() => new Timer(-1, () => 1, []), { code: 'SIMUL_INVALID_ARGUMENT' });
});

test('a local is each thread’s own', async () => {
  const mine = local();
  mine['x'] = 1;
  assert.deepEqual(await new Thread(parties.useLocal, [mine]).start().join(), [undefined, 2]);
  assert.equal(mine['x'], 1);
});

test('the report names holders, waiters and the circle they form', async () => {
  const first = new Lock({ name: 'first' });
  const second = new Lock({ name: 'second' });
  const events = [new Event(), new Event()] as const;
  const one = new Thread(parties.lockBoth, [first, second, ...events]).start();
  const two = new Thread(parties.lockBoth, [second, first, ...events.toReversed()] as never).start();
  while (lockReport().cycles.length === 0) await new Promise(setImmediate);
  const report = lockReport();
  assert.deepEqual(report.cycles, [['first', 'second']]);
  const [lock] = report.locks;
  assert.deepEqual(lock!.holder, { pid: process.pid, thread: one.ident! + 1 });
  assert.deepEqual(lock!.waiters, [{ pid: process.pid, thread: two.ident! + 1 }]);
  assert.match(formatLockReport(report), /cycle: first -> second -> first/);
  // The same dump as the tasks'.
  let dump = '';
  printTaskTree({ write: (text) => (dump += text) });
  assert.match(
    dump,
    /^== tasks ==\nno tasks\n== locks ==\nfirst: held by thread .*\nsecond: .*\ncycle: first -> second/,
  );
  const ended = [one, two].map((thread) => assert.rejects(thread.join(), BrokenError));
  await Promise.all([one.terminate(), two.terminate()]);
  await Promise.all(ended);
});
