// The app of the pool tests: a module of its own, so that threads and processes can import it.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { Simul } from '../../src/tasks/app.ts';

export const app = new Simul('pools', { broker: 'memory://pools' });

export const where = app.task('where', () => ({ main: isMainThread, thread: threadId, pid: process.pid }));

export const square = app.task('square', (n: number) => n * n);

export const boom = app.task('boom', () => {
  throw new RangeError('no');
});

/** Takes its thread or process down, as many times as the message may. */
export const die = app.task('die', () => process.exit(3));

export const block = app.task('block', { bind: true }, async (ctx) => {
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
});

export const waitToBeTold = app.task('waitToBeTold', { bind: true }, async (ctx, file: string) => {
  const told = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  writeFileSync(file, 'begun');
  await told;
  writeFileSync(file, 'told');
});

export const succeedOnceTold = app.task('succeedOnceTold', { bind: true }, async (ctx, file: string) => {
  const told = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  writeFileSync(file, 'begun');
  await told;
  return 'all the same';
});

/** Blocks in native code, which terminating its thread does not end, until the shell whose pid the file has is killed. */
export const blockNatively = app.task('blockNatively', (file: string) => {
  execFileSync('sh', ['-c', 'echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 600', file], { stdio: 'ignore' });
});

/** Does not listen when it is told to stop. */
export const deaf = app.task('deaf', async (begun: string, go: string) => {
  writeFileSync(begun, '');
  while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 10));
});

export const threaded = app.task('threaded', { pool: 'threads' }, () => isMainThread);
