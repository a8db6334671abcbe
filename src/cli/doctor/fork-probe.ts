// A program of its own that `simul doctor` starts with the flags of fork: ends with 0 if its child ended with 7.
import { messageOf } from '../../base/error-text.ts';
import { exitNow, fork } from '../../os/fork.ts';
import { waitpid } from '../../os/wait.ts';
import { waitstatusToExitcode } from '../../os/wait-status.ts';

try {
  const pid = fork();
  if (pid === 0) exitNow(7);
  const [, status] = await waitpid(pid);
  if (waitstatusToExitcode(status) !== 7) throw new Error(`the child ended with status ${status}`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
