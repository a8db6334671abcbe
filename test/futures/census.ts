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

function childrenOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    return sum + readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).length;
  }, 0);
}
