import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Executor } from '../../src/entry/asyncio.ts';
import {
  createTask,
  Event,
  gather,
  getRunningLoop,
  openConnection,
  run,
  sleep,
  startServer,
  StreamReader,
  timeout,
} from '../../src/entry/asyncio.ts';
import { BrokenError, InvalidArgumentError, InvalidStateError } from '../../src/entry/errors.ts';
import { call } from '../../src/entry/subprocess.ts';
import { explore, SeededScheduler, Sequencer, settled, VirtualClock } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const slowly: Executor = {
  submit: async (fn, ...args) => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return fn(...args);
  },
};

describe('settled', () => {
  it('returns when every other task waits, and time stands still', () =>
    virtual(async () => {
      const log: string[] = [];
      const event = new Event();
      createTask(async () => {
        for (let i = 0; i < 10; i++) await sleep(0);
        await new Promise((resolve) => setImmediate(resolve));
        log.push('waits');
        await event.wait();
        log.push('woken');
      });
      createTask(() => sleep(5));
      await settled();
      assert.deepEqual(log, ['waits']);
      assert.equal(getRunningLoop().time(), 0);
      event.set();
      await settled();
      assert.deepEqual(log, ['waits', 'woken']);
    }));
});

describe('Sequencer', () => {
  it('runs pieces of different tasks in their order', () =>
    virtual(async () => {
      const sequencer = new Sequencer();
      const log: number[] = [];
      const piece = (position: number) => () => sequencer.run(position, () => void log.push(position));
      await gather([3, 1, 0, 2].map(piece));
      assert.deepEqual(log, [0, 1, 2, 3]);
    }));

  it('breaks for those behind a piece that was cancelled', () =>
    virtual(async () => {
      const sequencer = new Sequencer();
      const [second, third] = [1, 2].map((position) => createTask(() => sequencer.run(position, () => {})));
      await settled();
      second!.cancel();
      await assert.rejects(async () => third, BrokenError);
      await assert.rejects(
        sequencer.run(5, () => {}),
        BrokenError,
      );
    }));

  it('refuses a point used twice and a bad position', () =>
    virtual(async () => {
      const sequencer = new Sequencer();
      await sequencer.run(0, () => {});
      await assert.rejects(
        sequencer.run(0, () => {}),
        InvalidStateError,
      );
      await assert.rejects(
        sequencer.run(-1, () => {}),
        InvalidArgumentError,
      );
    }));
});

describe('seeded scheduling', () => {
  const orderOf = async (seed: number): Promise<string> => {
    const log: number[] = [];
    const main = async (): Promise<void> => {
      const event = new Event();
      const tasks = [0, 1, 2, 3].map((i) =>
        createTask(async () => {
          log.push(i);
          await event.wait();
          log.push(i);
          await sleep(0);
          log.push(i);
        }),
      );
      createTask(async () => event.set());
      await gather(tasks);
    };
    await run(main, { clock: new VirtualClock({ autoJump: true }), scheduler: new SeededScheduler(seed) });
    return log.join('');
  };

  it('gives the same order for the same seed', async () => {
    for (let seed = 1; seed <= 20; seed++) assert.equal(await orderOf(seed), await orderOf(seed));
  });

  it('really permutes starts and wake-ups', async () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 500; seed++) orders.add(await orderOf(seed));
    assert.ok(orders.size > 400, `only ${orders.size} of 500 seeds differ`);
  });
});

describe('explore', () => {
  it('finds a race and names the seed, which repeats it', async () => {
    const racy = async (): Promise<void> => {
      let balance = 0;
      const deposit = async (): Promise<void> => {
        const read = balance;
        await sleep(0);
        balance = read + 1;
      };
      await gather([deposit, deposit]);
      assert.equal(balance, 2);
    };
    const found = await explore(racy, { seeds: 100 }).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    const seed = Number(/^seed (\d+): /.exec(found!.message)![1]);
    await assert.rejects(explore(racy, { from: seed, seeds: 1 }), { message: found!.message });
  });

  it('takes a deadlock for a failure', async () => {
    await assert.rejects(
      explore(() => new Event().wait(), { seeds: 1 }),
      /seed 1: deadlock/,
    );
  });

  it('counts its runs and refuses bad numbers', async () => {
    assert.equal(await explore(async (draw) => draw.pause(), { seeds: 7 }), 7);
    await assert.rejects(
      explore(async () => {}, { seeds: 0 }),
      InvalidArgumentError,
    );
  });
});

describe('VirtualClock', () => {
  it('forgets cancelled timers in constant time and fires the rest in order', () => {
    const clock = new VirtualClock();
    const log: number[] = [];
    const timers = Array.from({ length: 100_000 }, (_, i) => clock.setTimer(i % 1000, () => log.push(i)));
    timers.forEach((timer, i) => i % 1000 !== 0 && timer.cancel());
    timers[1]!.cancel();
    assert.equal(clock.pending, 100);
    clock.advance(1000);
    assert.equal(log.length, 100);
    assert.equal(clock.pending, 0);
  });

  it('lets what comes from outside come first, and jumps when that does not', async () => {
    // A minute of patience: what arrives at all arrives before.
    await virtual(
      async () => {
        await using server = await startServer(async (reader, writer) => {
          const line = await reader.readline();
          await new Promise((resolve) => setImmediate(resolve));
          writer.write(line);
        });
        const [reader, writer] = await openConnection('localhost', server.port!, { timeout: 1 });
        writer.write('hello\n');
        assert.equal((await reader.readline({ timeout: 1 })).toString(), 'hello\n');
        assert.equal(await getRunningLoop().runInExecutor(slowly, () => 'done'), 'done');
        assert.equal(await timeout(1, () => call(['sleep', '0.01'])), 0);
        assert.equal(getRunningLoop().time(), 0);
        writer.close();
      },
      { clock: new VirtualClock({ autoJump: true, patience: 60 }) },
    );
    for (const patience of [0, 0.01]) {
      const begun = performance.now();
      await virtual(
        async () => {
          await assert.rejects(new StreamReader().readline({ timeout: 3600 }), { name: 'TimeoutError' });
          assert.equal(getRunningLoop().time(), 3600);
        },
        { clock: new VirtualClock({ autoJump: true, patience }) },
      );
      assert.ok(performance.now() - begun >= patience * 1000, 'jumped at once');
    }
  });

  it('waits for nothing where nobody waits for the outside', () =>
    virtual(
      async () => {
        await gather([() => sleep(3600), () => timeout(7200, () => sleep(7000))]);
        assert.equal(getRunningLoop().time(), 7000);
      },
      { clock: new VirtualClock({ autoJump: true, patience: 1e6 }) },
    ));

  it('tells when it has come to rest', async () => {
    const clock = new VirtualClock({ autoJump: true });
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      const stop = clock.onStall(() => {
        log.push(`rest at ${clock.now()}`);
        stop();
        resolve();
      });
      clock.setTimer(5, () => log.push('fired'));
    });
    assert.deepEqual(log, ['fired', 'rest at 5']);
  });
});
