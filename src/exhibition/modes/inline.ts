import { think } from '../master.ts';
import type { MastersOptions, OpenMasters } from './mode.ts';

/** One master, who thinks on the event loop itself. */
export async function openInline({ nodes }: MastersOptions): Promise<OpenMasters> {
  return {
    count: 1,
    think: async (position) => think(position, nodes),
    [Symbol.asyncDispose]: async () => {},
  };
}
