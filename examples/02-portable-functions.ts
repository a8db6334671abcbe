// One function, run inline, in a thread and in a process. Run: node dist/examples/02-portable-functions.js
import { ProcessHost, ThreadHost, currentSignal, isWorker, portable, transfer } from 'simul/callable';

// Uses a name of its module, so it is registered: workers import this file and look it up.
const smallestFactor = 2;
export const isPrime = portable(import.meta, 'isPrime', (n: number): boolean => {
  for (let d = smallestFactor; d * d <= n; d++) if (n % d === 0) return false;
  return n >= smallestFactor;
});

export const invert = portable(import.meta, 'invert', (pixels: Uint8Array<ArrayBuffer>) => {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]!;
  return transfer(pixels, [pixels.buffer]);
});

export const patient = portable(import.meta, 'patient', () => {
  const signal = currentSignal();
  return new Promise<void>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
});

// A worker imports this file too: it must not run the program.
if (!isWorker()) await main();

async function main(): Promise<void> {
  console.log('inline ', isPrime(2_147_483_647));

  await using thread = new ThreadHost();
  console.log('thread ', await thread.call(isPrime, [2_147_483_647]));

  await using child = new ProcessHost();
  console.log('process', await child.call(isPrime, [2_147_483_647]));

  // Needs nothing from around it: its source is all there is to send.
  console.log('source ', await thread.call((words: string[]) => words.join(' '), [['sent', 'as', 'text']]));

  const pixels = new Uint8Array([0, 100, 255]);
  const inverted = await thread.call(invert, [transfer(pixels, [pixels.buffer])]);
  console.log('moved  ', [...inverted], 'left here:', pixels.length);

  const controller = new AbortController();
  const waiting = thread.call(patient, [], { signal: controller.signal });
  controller.abort();
  console.log('aborted', await waiting.catch((error: Error) => error.name));
}
