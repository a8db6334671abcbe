import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as asyncio from '../../src/entry/asyncio.ts';
import * as os from '../../src/entry/os.ts';
import { pause, sigwait } from '../../src/entry/signal.ts';
import { Popen, run, runPipeline } from '../../src/entry/subprocess.ts';

const skip = process.platform !== 'linux' && 'Linux only';

test('every wait ends with the task that waits', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'simul-task-'));
  const fifo = join(directory, 'fifo');
  os.mkfifo(fifo);
  const [r, w] = os.pipe();
  const [locked, wanting] = [openSync(join(directory, 'lock'), 'w'), openSync(join(directory, 'lock'), 'w')];
  os.tryFlock(locked, os.LOCK_EX);
  const child = new Popen(['sleep', '60']);
  const waits: Record<string, () => Promise<unknown>> = {
    read: () => os.read(r, 1),
    write: () => os.write(w, Buffer.alloc(1e6)),
    poll: () => os.poll(r, os.POLLPRI),
    processExit: () => os.processExit(child.pid),
    openFifo: () => os.openFifo(fifo, 'r'),
    flock: () => os.flock(wanting, os.LOCK_EX),
    sigwait: () => sigwait(['SIGUSR2']),
    pause: () => pause(),
    wait: () => child.wait(),
    communicate: () => child.communicate(),
    run: () => run(['sleep', '60']),
    pipeline: () => runPipeline([['sleep', '60'], ['cat']]),
    createSubprocessExec: async () => {
      await using started = await asyncio.createSubprocessExec(['sleep', '60']);
      await started.wait();
    },
  };
  await asyncio.run(async () => {
    for (const [name, wait] of Object.entries(waits)) {
      const task = asyncio.createTask(() => wait());
      await asyncio.sleep(0.03);
      task.cancel();
      await assert.rejects(async () => task, { name: 'CancelledError' }, name);
    }
    // Nothing that waited before makes a later cancellation unheard.
    const again = asyncio.createTask(async () => {
      await run(['true']);
      await asyncio.sleep(3600);
    });
    await asyncio.sleep(0.05);
    again.cancel();
    await assert.rejects(async () => again, { name: 'CancelledError' });
  });
  child.kill();
  await child.wait();
  for (const fd of [r, w]) os.close(fd);
  for (const fd of [locked, wanting]) closeSync(fd);
  rmSync(directory, { recursive: true });
});
