import { messageOf } from '../base/error-text.ts';
import { execve } from '../os/exec.ts';
import { exitNow } from '../os/fork.ts';
import { hasLibc } from '../os/libc.ts';
import { leave, restartCode } from '../worker/leave.ts';

/**
 * Has this process run the same command once more, from the start, after its exit handlers: the pid stays, every thread goes, also one that cannot be ended. Where
 * that cannot be done it ends, with a code that says to start it again.
 */
export function runAgain(): never {
  if (process.platform !== 'linux' || !hasLibc()) leave(restartCode);
  process.exitCode = restartCode;
  attempt('an exit handler failed', () => process.emit('exit', restartCode));
  attempt('cannot run the command again', () =>
    execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]),
  );
  exitNow(restartCode);
}

function attempt(failure: string, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    process.stderr.write(`simul: ${failure}: ${messageOf(error)}\n`);
  }
}
