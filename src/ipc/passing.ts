import type { Destination, PackedShareable } from '../callable/shareable.ts';
import { UnsupportedError } from '../base/errors.ts';
import { ProcessRegion } from './process-region.ts';
import type { Region, RegionHandle } from './region.ts';
import { ThreadRegion } from './thread-region.ts';

/** Data of a shared object on its way: its memory, and what else makes it up. */
export interface Passed {
  readonly region: RegionHandle;
  readonly [field: string]: unknown;
}

/** Packs an object that is a region and some plain data. `kind` is as users know it: "threading.Lock". */
export function pass(
  kind: string,
  module: string,
  region: Region,
  to: Destination,
  rest: Record<string, unknown> = {},
): PackedShareable {
  if (to !== 'thread' && region.scope === 'threads') {
    const twin = kind.replace('threading', 'multiprocessing');
    // A SharedArrayBuffer is handed over by messages only.
    const where =
      to === 'process' ? 'go to another process' : 'be put into a queue or pipe, only passed as an argument';
    throw new UnsupportedError(`a ${kind} cannot ${where}: use ${twin}`);
  }
  return { kind, module, data: { region: region.handle(), ...rest } };
}

/** The memory of an object that has arrived. */
export function received({ region }: Passed): Region {
  return region.scope === 'threads' ? new ThreadRegion(region.buffer) : new ProcessRegion(region);
}
