// fork: 0 in the child, its pid in the parent; the child is a zombie until the parent waits for it.
// To be started by: simul run examples/04-fork-and-wait.ts
import { readFileSync } from 'node:fs';
import { fork, forkFlags, waitpid, waitstatusToExitcode, whyNoFork } from 'simul/os';
import { call } from 'simul/subprocess';

// Started plainly, it starts itself again with what fork needs.
if (whyNoFork()?.includes('simul run'))
  process.exit(await call([process.execPath, ...forkFlags, import.meta.filename]));

const parent = process.pid;
const pid = fork();
if (pid === 0) {
  console.log('child: fork gave me 0, and my parent is the process that forked:', process.ppid === parent);
  process.exit(7);
}

while (state(pid) !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
console.log('parent: my child has ended, and is a zombie:', state(pid));
const [reaped, status] = await waitpid(pid);
console.log('parent: reaped it:', reaped === pid, 'exit code', waitstatusToExitcode(status));

function state(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]![0]!;
}
