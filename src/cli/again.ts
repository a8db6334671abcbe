import { messageOf } from '../base/error-text.ts';
import { execve } from '../os/exec.ts';
import { hasLibc } from '../os/libc.ts';
import { leave, restartCode } from '../worker/leave.ts';

/**
 * Has this process run the same command once more, from the start: the pid stays, every thread goes, also one that cannot be ended. Where
 * that cannot be done it ends, with a code that says to start it again.
 */
export function runAgain(): never {
  try {
    if (process.platform === 'linux' && hasLibc())
      execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  } catch (error) {
    process.stderr.write(`simul: cannot run the command again: ${messageOf(error)}\n`);
  }
  leave(restartCode);
}
