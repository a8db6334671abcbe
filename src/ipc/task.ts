import { AsyncLocalStorage } from 'node:async_hooks';

// What counts as one flow of control within a thread, for owners of re-entrant locks. asyncio's tasks say who they are;
// elsewhere all of a thread is one.
let source: () => unknown = () => flow.getStore();
const flow = new AsyncLocalStorage<object>();

/** Identity of the running task; undefined outside of any. */
export function runningTask(): unknown {
  return source();
}

/** Tells what the running task is; given by what joins the layers. */
export function setTaskSource(running: () => unknown): void {
  source = () => running() ?? flow.getStore();
}

/** Runs `fn` as a flow of its own. */
export function asTask<T>(fn: () => T): T {
  return flow.run({}, fn);
}
