import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { BrokenError, ClosedError, ConnectionError, DecodeError, TimeoutError } from '../../src/base/errors.ts';
import { fromModule } from '../../src/callable/from-module.ts';
import { Client, Listener, Manager, Pipe, Process, Queue, wait } from '../../src/entry/multiprocessing.ts';

const parties = fromModule<typeof import('./manager-parties.js')>(new URL('./manager-parties.js', import.meta.url));

test('messages between a listener and a client that know the key', async () => {
  for (const address of [undefined, { host: '127.0.0.1', port: 0 }]) {
    await using listener = await Listener.open({ ...(address && { address }), authkey: 'secret' });
    const accepting = listener.accept();
    await using client = await Client(listener.address, { authkey: 'secret' });
    await using server = await accepting;
    await client.send({ a: [1, new Map([[1, 2n]])] });
    assert.deepEqual(await server.recv(), { a: [1, new Map([[1, 2n]])] });
    const big = Buffer.alloc(3_000_000, 7);
    await Promise.all([server.sendBytes(big), client.recvBytes().then((got) => assert.deepEqual(got, big))]);
    await assert.rejects(client.recv({ timeout: 0.01 }), TimeoutError);
    await assert.rejects(
      client.send(() => {}),
      { code: 'SIMUL_ENCODE' },
    );
    await server.close();
    await assert.rejects(client.recv(), ClosedError);
  }
});

test('a wrong key lets nobody in, and is told to both', async () => {
  const listener = await Listener.open({ authkey: 'secret' });
  const path = listener.address as string;
  for (const authkey of ['wrong', undefined]) {
    const accepting = assert.rejects(listener.accept(), ConnectionError);
    if (authkey === undefined) createConnection(path).end('\x05\0\0\0hello');
    else await assert.rejects(Client(path, { authkey }), /refused/);
    await accepting;
  }
  await listener.close();
  await assert.rejects(listener.accept(), ClosedError);
  assert.equal(existsSync(path), false);
  await assert.rejects(Client(path), /cannot connect/);
});

test('a message larger than allowed ends the connection before it is read', async () => {
  await using listener = await Listener.open({ largest: 100 });
  const accepting = listener.accept();
  await using client = await Client(listener.address);
  await using server = await accepting;
  await client.sendBytes(Buffer.alloc(101));
  await assert.rejects(server.recv(), DecodeError);
});

test('managed objects are shared by proxy', async () => {
  const manager = await Manager();
  const scores = await manager.dict<number>({ anna: 1 });
  const list = await manager.list([1, 2]);
  const queue = await manager.Queue<string>(1);
  const lock = await manager.Lock();
  const done = new Queue<string>();
  const child = new Process(parties.useManaged, [scores, list, queue, lock, done]).start();
  assert.equal(await queue.get({ timeout: 30 }), 'from the child');
  assert.equal(await done.get({ timeout: 30 }), 'done');
  assert.equal(await child.join(), 0);
  assert.deepEqual(await scores.items(), [
    ['anna', 2],
    ['ben', 5],
  ]);
  assert.deepEqual(await list.all(), [1, 2, 3]);
  assert.equal(await lock.locked(), false);
  await assert.rejects(list.get(9), /within the 3 items/);
  await assert.rejects((list as unknown as { clear(): Promise<void> }).clear(), /no method clear/);
  await manager.shutdown();
  await assert.rejects(scores.get('anna'), BrokenError);
});

test('a manager has the locks and the like, and gives back what the dead have held', async () => {
  await using manager = await Manager();
  const [rlock, semaphore, barrier] = [
    await manager.RLock(),
    await manager.BoundedSemaphore(2),
    await manager.Barrier(2),
  ];
  const jobs = await manager.JoinableQueue<string>();
  const numbers = await manager.Array('int8', [1, 2]);
  const child = new Process(parties.holdAll, [rlock, semaphore, barrier, jobs]).start();
  assert.ok([0, 1].includes(await barrier.wait({ timeout: 30 })));
  await assert.rejects(rlock.acquire({ timeout: 0.01 }), TimeoutError);
  assert.equal(await semaphore.tryAcquire(), false);
  await assert.rejects(rlock.release(), { code: 'SIMUL_INVALID_STATE' });
  await jobs.join({ timeout: 30 });
  child.kill();
  await rlock.acquire({ timeout: 30 });
  await rlock.acquire();
  await semaphore.acquire({ timeout: 30 });
  assert.equal(await semaphore.value(), 1);
  await semaphore.release();
  await assert.rejects(semaphore.release(), { code: 'SIMUL_INVALID_STATE' });
  await numbers.set(-1, 127);
  assert.deepEqual(await numbers.all(), [1, 127]);
  await assert.rejects(numbers.set(0, 128), { code: 'SIMUL_INVALID_ARGUMENT' });
  await child.join();
});

test('a manager’s condition wakes who waits; one that dies waiting or holding does not keep it', async () => {
  await using manager = await Manager();
  const condition = await manager.Condition();
  const stage = await manager.list<string>();
  const waiter = new Process(parties.waitForChange, [condition, stage]).start();
  const victim = new Process(parties.waitForChange, [condition, stage]).start();
  while ((await stage.length()) < 2) await new Promise(setImmediate);
  await assert.rejects(condition.notify(), { code: 'SIMUL_INVALID_STATE' });
  victim.kill();
  await victim.join();
  await condition.acquire({ timeout: 30 }); // both wait, or the victim's has been given up
  await condition.notifyAll();
  await condition.release();
  assert.equal(await waiter.join(), 0);
  assert.equal(await stage.get(-1), 'woken');
  await condition.acquire({ timeout: 30 });
  await assert.rejects(condition.wait({ timeout: 0.01 }), TimeoutError);
  await condition.release();
});

test('wait gives those of several that are ready: messages, ends, and processes that have ended', async () => {
  await using listener = await Listener.open();
  const accepting = listener.accept();
  await using client = await Client(listener.address);
  await using server = await accepting;
  const [reader, writer] = Pipe<string>(false);
  await using child = new Process(parties.waitForRelease, [new Queue<string>()]).start();
  const all = [reader, client, child.sentinel];
  assert.deepEqual(await wait(all, { timeout: 0 }), []);
  assert.deepEqual(await wait(all, { timeout: 0.01 }), []);
  assert.deepEqual(await wait([]), []);
  const soon = wait(all, { timeout: 30 });
  writer.sendSync('hello');
  assert.deepEqual(await soon, [reader]);
  await server.send('hello');
  await client.poll(30);
  assert.deepEqual(await wait(all), [reader, client]);
  assert.deepEqual([await reader.recv(), await client.recv()], ['hello', 'hello']);
  const ended = wait(all, { timeout: 30 });
  child.kill();
  assert.deepEqual(await ended, [child.sentinel]);
  writer.close();
  assert.deepEqual(await wait([reader]), [reader]); // at its end
  await assert.rejects(wait(['x' as unknown as number]), { code: 'SIMUL_INVALID_ARGUMENT' });
  const abort = new AbortController();
  const cancelled = assert.rejects(wait([client], { signal: abort.signal }), { name: 'CancelledError' });
  abort.abort();
  await cancelled;
});
