import { exitNow } from '../os/fork.ts';
import { hasLibc } from '../os/libc.ts';

/**
 * The exit code of a process that was left because a thread of it cannot be ended, so that whoever watches over it starts it again.
 * (EX_TEMPFAIL of sysexits.h)
 */
export const restartCode = 75;

/**
 * Ends this process, exit handlers and all, although a thread of it cannot be ended: `process.exit` would wait for that thread.
 * Without libc it ends by SIGKILL.
 */
export function leave(code: number): never {
  process.exitCode = code;
  try {
    process.emit('exit', code);
  } finally {
    if (hasLibc()) exitNow(code);
    process.kill(process.pid, 'SIGKILL');
  }
  throw new Error('unreachable');
}
