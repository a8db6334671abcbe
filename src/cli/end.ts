import type { Writable } from 'node:stream';

/**
 * Ends the process, whatever a module of the user's has left open (a timer, a server, connections): a command is over when
 * it says so. What has been printed is written out first.
 */
export async function endWith(code: number): Promise<never> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

function flushed(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.write('', () => resolve());
  });
}

// Node's own code for it, and it says nothing of whose wait it was.
const unsettledAwait = 13;

/** Has a command that waits for what can never come end with 1 and a line; the function it gives stands it down. */
export function tellOfUnsettled(): () => void {
  const tell = () => {
    // Set by a listener of Node's own, not handed to ours.
    if (process.exitCode !== unsettledAwait) return;
    process.stderr.write(
      'simul: nothing is left to wait for: does a module wait at its top level for what never comes?\n',
    );
    process.exit(1); // from here on a mere exitCode is not looked at any more
  };
  process.once('exit', tell);
  return () => process.off('exit', tell);
}
