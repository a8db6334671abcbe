// What has to be measured in a process of its own: from a large parent, or in one started for fork. Prints one number.
import { fork as nodeFork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { _exit, fork, waitpid } from '../src/entry/os.ts';
import { Popen, run } from '../src/entry/subprocess.ts';
import { median } from './statistics.ts';

const [, , what, count, megabytes] = process.argv;
const n = Number(count);
// Touched, so that it has pages to copy.
const ballast = Buffer.alloc(Number(megabytes ?? 0) * 2 ** 20, 1);

const measured: Record<string, () => Promise<number>> = {
  'run-ours': () => medianRun(() => run(['/bin/true'])),
  'run-node': () => medianRun(() => once(spawn('/bin/true'), 'exit')),
  'run-node-inherit': () => medianRun(() => once(spawn('/bin/true', { stdio: 'inherit' }), 'exit')),
  'block-ours': () =>
    blocked(() => {
      const child = new Popen(['/bin/true']);
      return () => child.wait();
    }),
  'block-node': () =>
    blocked(() => {
      const child = spawn('/bin/true', { stdio: 'inherit' });
      return () => once(child, 'exit');
    }),
  'fork-ours': () =>
    medianRun(async () => {
      const pid = fork();
      if (pid === 0) _exit(0);
      await waitpid(pid);
    }),
  'fork-node': () =>
    medianRun(() => once(nodeFork(fileURLToPath(new URL('./processes-empty.js', import.meta.url))), 'exit')),
};

const value = await measured[what!]!();
if (ballast.length > 0 && ballast[ballast.length - 1] !== 1) throw new Error('the ballast is gone');
console.log(value);

async function medianRun(once: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < n + 5; i++) {
    const start = performance.now();
    await once();
    if (i >= 5) times.push(performance.now() - start);
  }
  return median(times);
}

async function blocked(start: () => () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < n + 5; i++) {
    const before = performance.now();
    const wait = start();
    if (i >= 5) times.push(performance.now() - before);
    await wait();
  }
  return median(times);
}
