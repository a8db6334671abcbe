import { currentTask } from '../asyncio/task.ts';

/** Identity of the running task, the owner of a re-entrant lock within its thread; undefined outside of any. */
export function runningTask(): unknown {
  return currentTask();
}
