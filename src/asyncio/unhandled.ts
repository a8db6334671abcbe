import { inspect } from 'node:util';
import { realClock } from '../base/clock.ts';
import type { Kernel, Loss } from './kernel.ts';
import { defaultKernel } from './scope.ts';

/**
 * Remembers that `future` failed before anybody looked at it. If it is collected, or its loop ends, without that having
 * changed, the error counts as an unhandled rejection. Sooner would be wrong: to await a task long after it failed is
 * good asyncio. What has been waiting for a second is told by a warning, so that a lost error does not stay silent
 * until the garbage collector comes by.
 *
 * @returns to be called when somebody looks
 */
export function watchForLoss(kernel: Kernel, future: object, loss: Loss): () => void {
  // V8 keeps the frames of an error, and with them the task that ran in them, until its stack is first read.
  if (loss.error instanceof Error) void loss.error.stack;
  kernel.losses.add(loss);
  if (kernel === defaultKernel) reportAtExit();
  collected.register(future, { kernel, loss }, loss);
  warnLater(kernel);
  return () => {
    kernel.losses.delete(loss);
    collected.unregister(loss);
  };
}

/** The end of a loop: nobody will look any more. */
export function reportLosses(kernel: Kernel): void {
  for (const loss of kernel.losses) report(kernel, loss);
}

// The program's own loop ends with the program.
let reporting = false;
function reportAtExit(): void {
  if (reporting) return;
  reporting = true;
  process.once('beforeExit', () => {
    reporting = false;
    reportLosses(defaultKernel);
  });
}

const collected = new FinalizationRegistry<{ kernel: Kernel; loss: Loss }>(({ kernel, loss }) => report(kernel, loss));
const warning = new WeakSet<Kernel>();

function report(kernel: Kernel, loss: Loss): void {
  if (!kernel.losses.delete(loss)) return;
  collected.unregister(loss);
  kernel.report({ message: `${loss.name} exception was never retrieved`, exception: loss.error, unhandled: true });
}

// A timer on a virtual clock would stand among those of the program.
function warnLater(kernel: Kernel): void {
  if (kernel.clock !== realClock || warning.has(kernel)) return;
  warning.add(kernel);
  const losses = [...kernel.losses];
  kernel.clock.setTimer(1, () => warn(kernel, losses)).unref();
}

function warn(kernel: Kernel, losses: readonly Loss[]): void {
  warning.delete(kernel);
  for (const loss of losses.filter((each) => kernel.losses.has(each))) {
    process.emitWarning(`${loss.name} failed and nobody has looked at it yet: ${inspect(loss.error)}`, 'SimulWarning');
  }
  const later = [...kernel.losses].some((loss) => !losses.includes(loss));
  if (later) warnLater(kernel);
}
