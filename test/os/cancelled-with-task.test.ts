import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as asyncio from '../../src/entry/asyncio.ts';
import * as os from '../../src/entry/os.ts';
import { getEventListeners } from 'node:events';
import { pause, sigwait } from '../../src/entry/signal.ts';
import { call, checkCall, checkOutput, getoutput, Popen, run, runPipeline } from '../../src/entry/subprocess.ts';
import { until, untilWaiting } from '../support/waiting.ts';

const skip = process.platform !== 'linux' && 'Linux only';

test('every wait ends with the task that waits', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'simul-task-'));
  const fifo = join(directory, 'fifo');
  os.mkfifo(fifo);
  const [r, w] = os.pipe();
  const [locked, wanting] = [openSync(join(directory, 'lock'), 'w'), openSync(join(directory, 'lock'), 'w')];
  os.tryFlock(locked, os.LOCK_EX);
  const child = new Popen(['sleep', '60']);
  const waits: Record<string, (options: asyncio.WaitOptions) => Promise<unknown>> = {
    read: (options) => os.read(r, 1, options),
    write: (options) => os.write(w, Buffer.alloc(1e6), options),
    poll: (options) => os.poll(r, os.POLLPRI, options),
    processExit: (options) => os.processExit(child.pid, options),
    openFifo: (options) => os.openFifo(fifo, 'r', options),
    flock: (options) => os.flock(wanting, os.LOCK_EX, options),
    sigwait: (options) => sigwait(['SIGUSR2'], options),
    pause: (options) => pause(options),
    wait: (options) => child.wait(options),
    communicate: (options) => child.communicate(options),
    run: (options) => run(['sleep', '60'], options),
    call: (options) => call(['sleep', '60'], options),
    checkCall: (options) => checkCall(['sleep', '60'], options),
    checkOutput: (options) => checkOutput(['sleep', '60'], options),
    getoutput: (options) => getoutput('sleep 60', options),
    pipeline: (options) => runPipeline([['sleep', '60'], ['cat']], options),
    createSubprocessExec: async (options) => {
      await using started = await asyncio.createSubprocessExec(['sleep', '60']);
      await started.wait(options);
    },
  };
  await asyncio.run(async () => {
    // Given up after a grace period, a task would end all the same.
    const reports: string[] = [];
    asyncio.getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
    for (const [name, wait] of Object.entries(waits)) {
      const { signal } = new AbortController();
      const tasks = [
        asyncio.createTask(() => wait({})),
        asyncio.createTask(() => wait({ signal, timeout: 60 })),
        // What the test itself makes of several calls has a promise of its own.
        ...(name === 'createSubprocessExec' ? [] : [asyncio.createTask(() => begunEarly(() => wait({})))]),
      ];
      for (const task of tasks) await untilWaiting(task);
      for (const task of tasks) task.cancel();
      for (const task of tasks) await assert.rejects(async () => task, { name: 'CancelledError' }, name);
      assert.equal(getEventListeners(signal, 'abort').length, 0, name);
    }
    assert.deepEqual(reports, []);
    // Nothing that waited before makes a later cancellation unheard.
    const again = asyncio.createTask(async () => {
      await run(['true']);
      await asyncio.sleep(3600);
    });
    await untilWaiting(again, /sleep/);
    again.cancel();
    await assert.rejects(async () => again, { name: 'CancelledError' });
  });
  child.kill();
  await child.wait();
  for (const fd of [r, w]) os.close(fd);
  for (const fd of [locked, wanting]) closeSync(fd);
  rmSync(directory, { recursive: true });
});

test('the task tree names what a task waits for on descriptors, programs and signals', { skip }, async () => {
  const [r, w] = os.pipe();
  await using child = new Popen(['sleep', '60']);
  await asyncio.run(async () => {
    const named: Record<string, () => Promise<unknown>> = {
      [`bytes of fd ${r}`]: () => os.read(r, 1),
      [`readiness of fd ${r}`]: () => os.poll(r, os.POLLPRI),
      [`the end of process ${child.pid}`]: () => os.processExit(child.pid),
      [`the end of sleep (process ${child.pid})`]: () => child.wait(),
      'a signal handler': () => pause(),
      'a signal': () => sigwait(['SIGUSR2']),
    };
    const tasks = Object.entries(named).map(([name, call]) => asyncio.createTask(call, { name: `for ${name}` }));
    for (const task of tasks) await untilWaiting(task);
    const tree = asyncio.formatTaskTree();
    for (const name of Object.keys(named)) {
      assert.match(tree, new RegExp(`for ${escape(name)} \\(.*\\) waits for ${escape(name)}\n`));
    }
    for (const task of tasks) task.cancel();
    await asyncio.gather(tasks, { returnExceptions: true });
    assert.match(asyncio.formatTaskTree(), /^main .*\n$/);
  });
  for (const fd of [r, w]) os.close(fd);
});

const escape = (text: string): string => text.replaceAll(/[()]/g, '\\$&');

test('one cancellation is delivered once: who cleans up may wait as long as that takes', { skip }, async () => {
  const [r, w] = os.pipe();
  const log: unknown[] = [];
  await asyncio.run(async () => {
    const task = asyncio.createTask(async () => {
      await os.read(r, 1).catch((error: Error) => log.push(error.name));
      log.push(String(await os.read(r, 5)));
      await asyncio.sleep(0.01);
      return 'cleaned up';
    });
    await untilWaiting(task);
    task.cancel();
    await until(() => log.length === 1);
    await untilWaiting(task);
    await os.write(w, 'later');
    log.push(await task);
  });
  assert.deepEqual(log, ['CancelledError', 'later', 'cleaned up']);
  for (const fd of [r, w]) os.close(fd);
});

test('a cancellation that nobody has received meets the next wait, and only that', { skip }, async () => {
  const child = new Popen(['true']);
  await child.wait();
  const log: unknown[] = [];
  await asyncio.run(async () => {
    const calls = [() => child.wait(), () => run(['true']), () => sigwait(['SIGUSR2']), () => os.waitpid(-1)];
    for (const call of calls) {
      const task: asyncio.Task<string> = asyncio.createTask(async () => {
        task.cancel();
        await call().catch((error: Error) => log.push(error.name));
        await asyncio.sleep(0.001);
        return 'went on';
      });
      log.push(await task);
    }
  });
  assert.deepEqual(
    log,
    [1, 2, 3, 4].flatMap(() => ['CancelledError', 'went on']),
  );
});

/** Never awaited, as it is cancelled before that. */
async function begunEarly(wait: () => Promise<unknown>): Promise<unknown> {
  const early = wait();
  await asyncio.sleep(60);
  return early;
}
