import { workerData } from 'node:worker_threads';
import { InvalidStateError } from '../base/errors.ts';
import { CallContext, ImportContext, context } from './context.ts';

/** Marks the workerData of a thread that Simul started. */
export const threadMark = 'simul.worker';
/** The first argument of a process that Simul started, whose program is `process-main.js`. */
export const processMark = 'simul.worker';

/**
 * Whether this thread or process was started by Simul to run functions. Guard a program's main with it, because such a
 * worker imports the modules whose functions it runs, the entry script among them.
 *
 * @example
 * if (!isWorker()) await main();
 */
export function isWorker(): boolean {
  // Both marks are there before any module is evaluated, `--import` ones included.
  const data: unknown = workerData;
  return (typeof data === 'object' && data !== null && threadMark in data) || isProcess() || became;
}

let became = false;

/** This process, a copy of one that ran its own program, has become one that runs functions for it. @internal */
export function becomeWorker(): void {
  became = true;
}

/**
 * Refuses to start a host from code that a worker runs only because it imports a module: each worker would start the
 * next one without end. Inside a call it is allowed.
 */
export function checkMayStart(what: string): void {
  if (!isWorker()) return;
  const current = context.getStore();
  if (current instanceof CallContext || (trusted && current === undefined)) return;
  const where = current instanceof ImportContext ? current.url : 'a module';
  throw new InvalidStateError(
    `${where} starts a ${what} while it is imported by a worker; ` +
      `guard the program's main: if (!isWorker()) { … } (isWorker is exported by simul/callable)`,
  );
}

let trusted = false;

/**
 * For a worker whose work does not come as calls: what runs outside of an import may start hosts as well. Gives up the asynchronous
 * context of calls, which on Node 20 and 22 makes every promise dearer. @internal
 */
export function leaveCalls(): void {
  trusted = true;
  context.disable();
}

function isProcess(): boolean {
  return process.argv[2] === processMark && /\bprocess-main\.js$/.test(process.argv[1] ?? '');
}
