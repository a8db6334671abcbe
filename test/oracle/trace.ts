import { getRunningLoop, run as runLoop } from '../../src/entry/asyncio.ts';
import { VirtualClock } from '../../src/entry/testing.ts';

/** One line of the trace, with the time. */
export function say(...words: unknown[]): void {
  console.log([getRunningLoop().time(), ...words.map(String)].join(' '));
}

/** The result, or the name of the error. */
export async function outcome(awaitable: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await awaitable;
  } catch (error) {
    return (error as Error).name;
  }
}

/** Runs each scenario on a loop of its own, in virtual time. */
export async function run(scenarios: Record<string, () => Promise<void>>): Promise<void> {
  for (const [name, scenario] of Object.entries(scenarios)) {
    console.log('#', name);
    await runLoop(scenario, { clock: new VirtualClock({ autoJump: true }) });
  }
}
