// What the two ways of ours to start a program have to stand: signals, threads, descriptors running out.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { close, dup, pipe } from '../../src/os/descriptor.ts';
import { getrlimit, setrlimit } from '../../src/os/rlimit.ts';
import { SIG_DFL, signal } from '../../src/entry/signal.ts';
import { PIPE, Popen, run } from '../../src/entry/subprocess.ts';
import { sized } from '../fixtures/program.ts';

const skip = process.platform !== 'linux' && 'clone3 and posix_spawn are used on Linux';
const children = () => readFileSync('/proc/thread-self/children', 'latin1').trim();
const descriptors = () => readdirSync('/proc/self/fd').length;

for (const launcher of ['auto', 'posix'] as const) {
  describe(`by ${launcher}`, { skip }, () => {
    test('signals that arrive meanwhile reach their handler here, and no program', async () => {
      let got = 0;
      signal('SIGUSR2', () => got++);
      const storm = new Popen(['sh', '-c', `while kill -USR2 ${process.pid}; do :; done`]);
      try {
        const count = sized(1000, 200);
        for (let i = 0; i < count; i++) assert.equal((await run(['true'], { launcher })).returncode, 0);
        assert.ok(got > 0);
      } finally {
        storm.kill();
        await storm.ended;
        signal('SIGUSR2', SIG_DFL);
      }
    });

    test('descriptors given on are there under their numbers, the gaps between them closed', async () => {
      const [r, w] = pipe();
      // More of them than there is room for in the list of what the child does.
      for (const many of [3, 450]) {
        const copies = Array.from({ length: many * 2 }, () => dup(r));
        const given = copies.filter((_, i) => i % 2 === 0);
        const { stdout } = await run(['sh', '-c', 'echo /proc/$$/fd/*'], {
          launcher,
          passFds: given,
          stdout: PIPE,
          text: true,
        });
        const seen = stdout
          .trim()
          .split(' ')
          .map((path) => Number(path.split('/').at(-1)));
        assert.deepEqual(
          copies.filter((fd) => seen.includes(fd)),
          given,
        );
        for (const fd of copies) close(fd);
      }
      for (const fd of [r, w]) close(fd);
    });

    test('a closed descriptor to give on is named, and a start that fails leaves no child', async () => {
      const [r, w] = pipe();
      for (const fd of [r, w]) close(fd);
      assert.throws(() => new Popen(['true'], { launcher, passFds: [w] }), { code: 'EBADF', fd: w });
      const before = children();
      // A script without its interpreter is found out by the child's exec only.
      const path = join(mkdtempSync(join(tmpdir(), 'simul-start-')), 'script');
      writeFileSync(path, '#!/nowhere/interpreter\n', { mode: 0o755 });
      assert.throws(() => new Popen([path], { launcher }), { code: 'ENOENT' });
      rmSync(dirname(path), { recursive: true });
      assert.deepEqual(children(), before);
    });

    test('without a descriptor left nothing is started, and nothing is lost', async () => {
      await run(['true'], { launcher });
      const before = descriptors();
      const [soft, hard] = getrlimit('nofile');
      const fillers: number[] = [];
      setrlimit('nofile', [256, hard]);
      try {
        for (;;) fillers.push(dup(2));
      } catch {
        await assert.rejects(run(['true'], { launcher }), { code: 'EMFILE' });
        await assert.rejects(run(['true'], { launcher, stdin: PIPE }), { code: 'EMFILE' });
        close(fillers.pop()!);
        await assert.rejects(run(['true'], { launcher, stdout: PIPE, stderr: PIPE }), { code: 'EMFILE' });
      } finally {
        for (const fd of fillers) close(fd);
        setrlimit('nofile', [soft, hard]);
      }
      assert.equal((await run(['true'], { launcher })).returncode, 0);
      assert.equal(descriptors(), before);
    });
  });
}

test('threads start programs beside each other', { skip }, async () => {
  const count = sized(500, 100);
  const workers = Array.from(
    { length: 3 },
    () => new Worker(new URL('../fixtures/subprocess/many.js', import.meta.url), { workerData: count }),
  );
  const sums = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.deepEqual(sums, Array(3).fill((count * (count - 1)) / 2));
});
