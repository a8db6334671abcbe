import type { Clock } from './clock.ts';
import { realClock } from './clock.ts';

/** Waits some seconds; an aborted signal ends the wait early, and that is no error: whoever asks looks at the signal. */
export async function pause(seconds: number, signal?: AbortSignal, clock: Clock = realClock): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(seconds, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
