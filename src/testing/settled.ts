import { currentKernel } from '../asyncio/scope.ts';

/**
 * Waits until every other task waits for something: no promise reaction, callback or turn is left to run. A virtual
 * clock stands still meanwhile. Choose it over a sleep to let things happen in a test.
 *
 * @example
 * const task = createTask(() => lock.acquire());
 * await settled(); // the task waits for the lock now
 */
export async function settled(): Promise<void> {
  const kernel = currentKernel();
  const rest = atRest(() => kernel.activity);
  await (kernel.clock.hold === undefined ? rest : kernel.clock.hold(rest));
}

// Two turns, for what one more setImmediate had put off.
async function atRest(activity: () => number): Promise<void> {
  for (let quiet = 0, seen = activity(); quiet < 2; seen = activity()) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = activity() === seen ? quiet + 1 : 0;
  }
}
