import { fromModule } from '../../callable/from-module.ts';
import type { Host } from '../../callable/host.ts';
import type { MastersOptions, OpenMasters } from './mode.ts';

const { think } = fromModule<typeof import('../master.ts')>(new URL('../master.js', import.meta.url));

/** As many masters as workers, each in a host of its own: a thread or a process. */
export async function openHosts(start: () => Host, { workers, nodes }: MastersOptions): Promise<OpenMasters> {
  const hosts = Array.from({ length: workers }, start);
  // The simulation never asks more masters than there are, so that a free one is always found.
  const free = [...hosts];
  return {
    count: workers,
    think: async (position) => {
      const host = free.shift()!;
      try {
        return await host.call(think, [position, nodes]);
      } finally {
        free.push(host);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(hosts.map((host) => host.terminate()));
    },
  };
}
