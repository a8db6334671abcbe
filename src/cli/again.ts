import { readdirSync, readFileSync } from 'node:fs';
import { messageOf } from '../base/error-text.ts';
import { execve } from '../os/exec.ts';
import { exitNow } from '../os/fork.ts';
import { hasLibc } from '../os/libc.ts';
import { onceEnded } from '../os/wait.ts';
import { leave, restartCode } from '../worker/leave.ts';

const childrenVariable = 'SIMUL_INHERITED_CHILDREN';

/**
 * Has this process run the same command once more, from the start, after its exit handlers: the pid stays, every thread goes, also one that cannot be ended. Where
 * that cannot be done it ends, with a code that says to start it again.
 */
export function runAgain(): never {
  if (process.platform !== 'linux' || !hasLibc()) leave(restartCode);
  process.exitCode = restartCode;
  attempt('an exit handler failed', () => process.emit('exit', restartCode));
  attempt('cannot run the command again', () => {
    process.env[childrenVariable] = children().join(' ');
    execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  });
  exitNow(restartCode);
}

/**
 * Reaps the children of what this process ran before `runAgain`, each when it has ended: nobody else here knows of them. To be called
 * before children are made.
 */
export function adoptChildren(): void {
  const pids = process.env[childrenVariable];
  delete process.env[childrenVariable];
  for (const pid of pids?.split(' ') ?? []) if (/^[1-9]\d*$/.test(pid)) onceEnded(Number(pid), () => {});
}

// The system may tell of none: what ends then remains as it is.
function children(): string[] {
  try {
    return readdirSync('/proc/self/task').flatMap((thread) =>
      readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean),
    );
  } catch {
    return [];
  }
}

function attempt(failure: string, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    process.stderr.write(`simul: ${failure}: ${messageOf(error)}\n`);
  }
}
