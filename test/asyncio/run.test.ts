import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Report } from '../../src/entry/asyncio.ts';
import {
  createTask,
  DeadlockError,
  dumpOnSignal,
  Event,
  formatDump,
  addDumpSection,
  formatTaskTree,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  Lock,
  printTaskTree,
  Queue,
  run,
  Runner,
  sleep,
  Task,
} from '../../src/entry/asyncio.ts';
import { ClosedError } from '../../src/entry/errors.ts';
import { settled, VirtualClock } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

describe('run', () => {
  it('gives the result or failure of main', async () => {
    assert.equal(await run(async () => 1), 1);
    assert.equal(await run(() => 2), 2);
    await assert.rejects(
      run(() => Promise.reject(new Error('boom'))),
      /boom/,
    );
  });

  it('cancels and joins what main left behind', async () => {
    const log: string[] = [];
    let left!: Task<unknown>;
    await virtual(async () => {
      left = createTask(async () => {
        try {
          await sleep(1000);
        } finally {
          await sleep(1);
          log.push('cleaned up');
        }
      });
      await settled();
    });
    assert.deepEqual(log, ['cleaned up']);
    assert.equal(left.cancelled(), true);
  });

  it('does not wait for ever for a task that swallows its cancellation and waits on', async () => {
    const messages: string[] = [];
    await virtual(async () => {
      getRunningLoop().setExceptionHandler((_loop, { message }) => messages.push(message));
      createTask(() => new Event().wait().catch(() => new Event().wait()), { name: 'stubborn' });
      await settled();
    });
    assert.match(messages.join('\n'), /^Task 'stubborn' swallowed the cancellation/);
  });

  it('is refused inside a run and with anything but a function', async () => {
    await virtual(async () => {
      await assert.rejects(
        run(async () => {}),
        new InvalidStateError('run() cannot be called from a running event loop'),
      );
    });
    for (const main of [undefined, 5, Promise.resolve()]) {
      await assert.rejects(run(main as never), InvalidArgumentError);
    }
  });

  it('twelve hours take no time on a virtual clock', () =>
    virtual(async () => {
      await sleep(43_200);
      assert.equal(getRunningLoop().time(), 43_200);
    }));

  it('may run beside others, without a listener for each', async () => {
    const before = process.listenerCount('beforeExit');
    const runs = Array.from({ length: 20 }, () => virtual(() => sleep(1)));
    assert.ok(process.listenerCount('beforeExit') <= before + 1);
    await Promise.all(runs);
    assert.equal(process.listenerCount('beforeExit'), before);
  });

  it('works on real time', () =>
    run(async () => {
      const began = getRunningLoop().time();
      await sleep(0.01);
      assert.ok(getRunningLoop().time() - began >= 0.01);
    }));
});

describe('Runner', () => {
  it('runs one main after another on one loop', async () => {
    await using runner = new Runner({ clock: new VirtualClock({ autoJump: true }) });
    const loop = await runner.run(() => getRunningLoop());
    assert.equal(await runner.run(() => getRunningLoop()), loop);
    assert.equal(runner.loop, loop);
    await assert.rejects(runner.run(5 as never), InvalidArgumentError);
    const first = runner.run(() => sleep(1));
    await assert.rejects(
      runner.run(() => sleep(1)),
      InvalidStateError,
    );
    await first;
    await runner.close();
    await assert.rejects(
      runner.run(async () => {}),
      ClosedError,
    );
    assert.throws(() => loop.createTask(async () => {}), new InvalidStateError('Event loop is closed'));
  });
});

describe('a deadlock', () => {
  it('is reported with the task tree', async () => {
    const main = async (): Promise<void> => {
      const [a, b] = [new Lock(), new Lock()];
      const cross = (first: Lock, second: Lock) => async (): Promise<void> => {
        await first.acquire();
        await sleep(1);
        await second.acquire();
      };
      createTask(cross(b, a), { name: 'other' });
      await cross(a, b)();
    };
    await assert.rejects(virtual(main), (error) => {
      assert.ok(error instanceof DeadlockError);
      assert.equal(error.tree, 'main (1 s) waits for a Lock\n└─ other (1 s) waits for a Lock\n');
      return true;
    });
  });

  it('is not suspected while a task waits for the outside', () =>
    virtual(async () => {
      const waiter = new Queue<string>();
      createTask(async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        await waiter.put('late');
      });
      assert.equal(await waiter.get(), 'late');
    }));

  it('is found on real time too, when Node has nothing left to do', async () => {
    const { spawn } = await import('node:child_process');
    const module = new URL('../../src/entry/asyncio.js', import.meta.url).href;
    const code = `import { run, Event } from '${module}';
      await run(() => new Event().wait()).catch((error) => console.log(error.name));
      console.log(process.listenerCount('beforeExit'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const [exitCode] = (await once(child, 'close')) as [number];
    assert.deepEqual([exitCode, output.join('')], [0, 'DeadlockError\n0\n']);
  });
});

describe('the task tree', () => {
  it('shows every task, its age, what it waits for, and its parent', () =>
    virtual(
      async () => {
        const event = new Event();
        createTask(
          async () => {
            createTask(() => sleep(7200), { name: 'leaf' });
            await event.wait();
          },
          { name: 'branch' },
        );
        createTask(() => new Promise(() => {}), { name: 'foreign' });
        await sleep(3600);
        const lines = [
          'main (1 h) waits for something outside this library',
          '├─ branch (1 h) waits for an Event',
          '│  └─ leaf (1 h) waits for sleep(7200)',
          '└─ foreign (1 h) waits for something outside this library',
          '',
        ];
        assert.equal(formatTaskTree(), lines.join('\n'));
        const written: string[] = [];
        printTaskTree({ write: (text) => written.push(text) });
        assert.deepEqual(written, [lines.join('\n')]);
        getRunningLoop().setExceptionHandler(() => {});
      },
      { cancelGrace: 0 },
    ));

  it('is dumped on a signal, with other sections, only on request', async () => {
    const before = process.listenerCount('SIGWINCH');
    {
      using _ = dumpOnSignal('SIGWINCH');
      assert.equal(process.listenerCount('SIGWINCH'), before + 1);
    }
    assert.equal(process.listenerCount('SIGWINCH'), before);
    const remove = addDumpSection('locks', () => 'none held\n');
    assert.equal(formatDump(), '== tasks ==\nno tasks\n== locks ==\nnone held\n');
    remove();
    assert.equal(formatDump(), '== tasks ==\nno tasks\n');
  });
});

describe('an error nobody looks at', () => {
  const losing = async (lose: (reports: Report[]) => void | Promise<void>): Promise<Report[]> => {
    const reports: Report[] = [];
    await virtual(async () => {
      getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
      await lose(reports);
    });
    return reports;
  };
  const fail = async (): Promise<never> => {
    throw new Error('lost');
  };

  it('is reported at the end of the run at the latest', async () => {
    const reports = await losing(async () => {
      createTask(fail, { name: 'careless' });
      await settled();
    });
    assert.deepEqual(
      reports.map(({ message }) => message),
      ["Task 'careless' exception was never retrieved"],
    );
    assert.equal(reports[0]!.unhandled, true);
  });

  it('is reported for futures as for tasks', async () => {
    const reports = await losing(() => getRunningLoop().createFuture().setException(new Error('lost')));
    assert.equal(reports.length, 1);
  });

  it('is no loss if somebody looks, however late', async () => {
    const reports = await losing(async () => {
      const [awaited, asked] = [createTask(fail), createTask(fail)];
      await sleep(1000);
      await awaited.catch(() => {});
      asked.exception();
    });
    assert.deepEqual(reports, []);
  });

  it('becomes an unhandled rejection of the process without a handler, in a run and outside', async () => {
    const { spawn } = await import('node:child_process');
    const module = new URL('../../src/entry/asyncio.js', import.meta.url).href;
    const code = `import { run, createTask, sleep } from '${module}';
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      const fail = (text) => async () => { throw new Error(text) };
      await run(async () => { createTask(fail('inside')); await sleep(0); });
      createTask(fail('outside'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    await once(child, 'close');
    assert.equal(output.join(''), 'unhandled inside\nunhandled outside\n');
  });

  it('is reported when the task is collected', async () => {
    const gc = await collector();
    await losing(async (reports) => {
      (() => void createTask(fail, { name: 'collected' }))();
      await settled();
      for (let i = 0; i < 20 && reports.length === 0; i++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.match(reports[0]!.message, /'collected'/);
    });
  });
});

async function collector(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('debug mode', () => {
  const debugging = async (main: () => Promise<void>): Promise<string[]> => {
    const messages: string[] = [];
    await virtual(
      async () => {
        getRunningLoop().setExceptionHandler((_loop, { message }) => messages.push(message));
        await main();
      },
      { debug: true },
    );
    return messages;
  };

  it('names the task that keeps the loop busy', async () => {
    const messages = await debugging(async () => {
      getRunningLoop().slowCallbackDuration = 0.02;
      const hog = async (): Promise<void> => {
        await sleep(1);
        for (const until = performance.now() + 30; performance.now() < until;);
      };
      await createTask(hog, { name: 'hog' });
    });
    assert.match(messages.join('\n'), /^Task 'hog' kept the event loop busy for \d+\.\d{3} s/m);
  });

  it('names tasks nobody awaited', async () => {
    const messages = await debugging(async () => {
      createTask(async () => 1, { name: 'forgotten' });
      await createTask(async () => 2, { name: 'awaited' });
    });
    assert.deepEqual(messages, ["Task 'forgotten' was never awaited"]);
  });

  it('names them as soon as they are collected, since it does not keep them', async () => {
    const gc = await collector();
    await debugging(async () => {
      const named: string[] = [];
      getRunningLoop().setExceptionHandler((_loop, { message }) => named.push(message));
      const refs = Array.from({ length: 50 }, () => new WeakRef(createTask(async () => 1, { name: 'forgotten' })));
      await settled();
      for (let i = 0; i < 50 && named.length < refs.length; i++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(new Set(named), new Set(["Task 'forgotten' was never awaited"]));
      assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0);
      assert.equal(named.length, refs.length);
    });
  });

  it('names tasks that were destroyed while pending', async () => {
    const gc = await collector();
    const messages: string[] = [];
    await virtual(
      async () => {
        getRunningLoop().setExceptionHandler((_loop, { message }) => messages.push(message));
        (() => void createTask(() => new Promise(() => {}), { name: 'lost' }))();
        await settled();
        for (let i = 0; i < 20 && messages.length === 0; i++) {
          gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
      { debug: true },
    );
    assert.deepEqual(messages, ["Task 'lost' was destroyed but it is pending"]);
  });
});
