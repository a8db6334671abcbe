import type { RunOptions } from '../../src/asyncio/run.ts';
import { run } from '../../src/asyncio/run.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';

/** Runs `main` on a virtual clock that jumps by itself: no test waits for real time. */
export function virtual<T>(main: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
  return run(main, { clock: new VirtualClock({ autoJump: true }), ...options });
}
