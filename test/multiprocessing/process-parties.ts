import type { Lock, Queue } from '../../src/entry/multiprocessing.ts';
import { activeChildren, currentProcess, parentProcess, Process } from '../../src/entry/multiprocessing.ts';

export async function whoAmI(queue: Queue<object>): Promise<void> {
  const { name, pid } = currentProcess();
  await queue.put({ name, pid, parent: parentProcess()!.pid, children: activeChildren().length });
}

export function exitWith(code: number): void {
  process.exit(code);
}

export function endWithCode(code: number): void {
  process.exitCode = code;
}

export function fail(): void {
  process.stderr.write = () => true; // what it prints is not for the test's reader
  throw new Error('on purpose');
}

export function block(lock: Lock): void {
  lock.acquireSync();
}

export async function haveChild(queue: Queue<string>): Promise<void> {
  try {
    new Process(fail, []).start();
  } catch (error) {
    await queue.put((error as Error).message);
  }
}
