import type { Command } from 'commander';

/** An expected end of a command: one line for the user, and the code the process exits with. */
export class Failure extends Error {
  readonly exitCode: number;
  /** Nothing that still goes on is to be waited for. */
  readonly atOnce: boolean;

  constructor(message: string, exitCode = 1, atOnce = false) {
    super(message);
    this.exitCode = exitCode;
    this.atOnce = atOnce;
  }
}

/** What follows the reason on standard error when the exit code is 2. */
export function usage(command: Command): string {
  const path = [command.parent?.name(), command.name()].filter((name) => name !== undefined).join(' ');
  return `Usage: ${path} ${command.usage()}\nSee ${path} --help.\n`;
}

export const exitCodes = `
Exit codes:
  0    done
  1    failed: the task, the broker, or the command itself; the reason is on standard error
  2    wrong use; the usage is on standard error
  75   a thread of the worker cannot be ended and the command could not run itself again: to be started again
  130  stopped cold by a second SIGINT
  143  stopped cold by a second SIGTERM

JSON:
  Output is standard JSON: NaN and infinities are null, integers of any size are digits; dates, bytes and Python's other
  types are objects of __type__ and __value__, which are taken as arguments too.

Environment:
  SIMUL_BROKER_URL, SIMUL_RESULT_BACKEND   override the app's URLs; SIMUL_DEBUG=1 prints stacks`;
