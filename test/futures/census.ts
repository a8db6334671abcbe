import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Future } from '../../src/entry/futures.ts';

export interface Census {
  readonly descriptors: number;
  readonly threads: number;
  readonly children: number;
  /** Listeners of `process`. */
  readonly listeners: number;
  /** What keeps the event loop going: timers, ports, sockets. */
  readonly resources: number;
  readonly futures: number;
  readonly promises: number;
}

/** What there is in this process of things that a pool could leave behind, garbage excluded. */
export async function census(): Promise<Census> {
  const { queryObjects } = (await import('node:v8')) as unknown as {
    queryObjects: (this: void, Class: unknown, options: { format: 'count' }) => number;
  };
  // The queues of finalisers and of closing handles have their turn.
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    children: childrenOf(process.pid),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    resources: process.getActiveResourcesInfo().length,
    futures: queryObjects(Future, { format: 'count' }),
    promises: queryObjects(Promise, { format: 'count' }),
  };
}

/** Fails unless there is again what there was before; the system takes its time to clear up what has ended. */
export async function assertNothingLeft(before: Census): Promise<void> {
  for (let tries = 0; ; tries++) {
    const after = await census();
    try {
      assert.ok(after.promises <= before.promises + 20, `${after.promises} promises, ${before.promises} before`);
      return assert.deepEqual({ ...after, promises: 0 }, { ...before, promises: 0 });
    } catch (error) {
      if (tries === 100) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function childrenOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    return sum + readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).length;
  }, 0);
}
