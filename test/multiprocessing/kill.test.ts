import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromModule } from '../../src/callable/from-module.ts';
import { ProcessHost } from '../../src/callable/process-host.ts';
import { Lock } from '../../src/multiprocessing/lock.ts';
import { Process } from '../../src/multiprocessing/process.ts';
import { Queue } from '../../src/multiprocessing/queue.ts';
import { Value } from '../../src/multiprocessing/value.ts';
import { sized } from '../fixtures/program.ts';

const victims = fromModule<typeof import('./victims.js')>(new URL('./victims.js', import.meta.url));
const parties = fromModule<typeof import('../ipc/parties.js')>(new URL('../ipc/parties.js', import.meta.url));

test('lock and unlock in four processes, the counter exact', async () => {
  const lock = new Lock();
  const counter = new Value('int32', 0);
  const pairs = sized(1_000_000, 100_000) / 4;
  const hosts = Array.from({ length: 4 }, () => new ProcessHost());
  try {
    await Promise.all(hosts.map((host) => host.call(parties.increment, [lock, counter, pairs])));
    assert.equal(counter.value, pairs * 4);
  } finally {
    await Promise.all(hosts.map((host) => host.terminate()));
  }
});

// Four at a time lock and unlock two locks until they are killed, wherever they are; then both locks must be to be had.
test('holders killed at random points leave no lock stuck', async () => {
  const locks = [new Lock(), new Lock()] as const;
  const progress = new Value('int32', 0);
  let recovered = 0;
  for (let killed = 0; killed < sized(1000, 24); killed += 4) {
    // The first few as new programs, the many as forks, which start faster.
    const startMethod = killed < 24 ? 'spawn' : 'forkserver';
    const four = Array.from({ length: 4 }, () => {
      return new Process(victims.lockForEver, [...locks, progress], { startMethod }).start();
    });
    const seen = progress.value;
    while (Atomics.load(progress.view, 0) - seen < 200) await new Promise(setImmediate);
    while (four.some(({ pid }) => pid === undefined)) await new Promise(setImmediate);
    for (const victim of four) victim.kill();
    for (const lock of locks) {
      await lock.acquire({ timeout: 60 });
      if (lock.recovered) recovered++;
      lock.release();
    }
    for (const victim of four) assert.equal(await victim.join(), -9);
    // Once more, now that all are dead for certain.
    for (const lock of locks) lock.acquireSync({ timeout: 60 });
    for (const lock of locks) lock.release();
  }
  assert.ok(recovered > 0, 'none was killed holding a lock');
});

test('producers and consumers killed at random points leave the queue whole', async () => {
  const queue = new Queue<readonly [string, number]>(0, { capacity: 4096 });
  const taken = new Value('int32', 0);
  for (let killed = 0; killed < sized(300, 6); killed += 2) {
    const startMethod = killed < 6 ? 'spawn' : 'forkserver';
    const producer = new Process(victims.putForEver, [queue, `p${killed}`], { startMethod }).start();
    const consumer = new Process(victims.takeForEver, [queue, taken], { startMethod }).start();
    const seen = taken.value;
    while (Atomics.load(taken.view, 0) - seen < 300) await new Promise(setImmediate);
    (killed % 4 === 0 ? producer : consumer).kill();
    (killed % 4 === 0 ? consumer : producer).kill();
    await Promise.all([producer.join(), consumer.join()]);
    const last = new Map<string, number>();
    while (!queue.empty()) {
      const [name, number] = await queue.get({ timeout: 60 });
      const before = last.get(name);
      assert.ok(before === undefined || number === before + 1, `${name}: ${number} after ${before}`);
      last.set(name, number);
    }
    await queue.put(['us', 1], { timeout: 60 });
    assert.deepEqual(queue.getSync({ timeout: 60 }), ['us', 1]);
  }
});
