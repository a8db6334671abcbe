import { getRunningLoop } from '../asyncio/loop.ts';
import type { Report } from '../asyncio/report.ts';
import { run } from '../asyncio/run.ts';
import { sleep } from '../asyncio/sleep.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { seeded, VirtualClock } from '../base/virtual-clock.ts';
import { SeededScheduler } from './seeded-scheduler.ts';

/** Which seeds to try. */
export interface ExploreOptions {
  /** How many interleavings to try (default 1,000). */
  readonly seeds?: number | undefined;
  /** The first seed (default 1); the one of a failure repeats it. */
  readonly from?: number | undefined;
}

/** What a program under exploration draws its choices from, so that they belong to the seed too. */
export interface Draw {
  readonly seed: number;
  /** A number in [0, 1). */
  random(): number;
  /** A whole number from 0 to `below` - 1. */
  integer(below: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  /** A point at which another task may or may not go first. */
  pause(): Promise<void>;
}

/**
 * Runs `program` once for each seed, on a virtual clock, in an order of starts and wake-ups drawn from the seed; throws
 * on the first failure, with the seed in its message. A deadlock is a failure. Gives the number of runs.
 *
 * @example
 * await explore(async (draw) => { await programWithTwoTasks(draw); }, { seeds: 10_000 });
 */
export async function explore(
  program: (draw: Draw) => Promise<unknown>,
  options: ExploreOptions = {},
): Promise<number> {
  checkOptions(options);
  const { seeds = 1000, from = 1 } = options;
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new InvalidArgumentError('seeds', seeds, 'a whole number, 1 or more');
  for (let seed = from; seed < from + seeds; seed++) await attempt(program, seed);
  return seeds;
}

async function attempt(program: (draw: Draw) => Promise<unknown>, seed: number): Promise<void> {
  const clock = new VirtualClock({ autoJump: true, seed });
  // Apart from the scheduler's, or a choice of the program would repeat one of its own.
  const draw = drawFrom(seed, seeded(seed ^ 0x9e3779b9));
  try {
    const strays: Report[] = [];
    await run(() => watched(() => program(draw), strays), { clock, scheduler: new SeededScheduler(seed) });
    if (strays.length > 0) throw strays[0]!.exception ?? new Error(strays[0]!.message);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${message}`, { cause: error });
  }
}

/** What goes wrong beside the program is a failure of the seed, not one of the process. */
function watched(program: () => Promise<unknown>, strays: Report[]): Promise<unknown> {
  getRunningLoop().setExceptionHandler((_loop, report) => strays.push(report));
  return program();
}

function drawFrom(seed: number, random: () => number): Draw {
  const chance = (p: number): boolean => random() < p;
  return {
    seed,
    random,
    integer: (below) => Math.floor(random() * below),
    chance,
    pause: async () => {
      if (chance(0.5)) await sleep(0);
    },
  };
}
