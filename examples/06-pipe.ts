// A pipe between related processes: the child produces, the parent consumes.
// To be started by: simul run examples/06-pipe.ts
import { close, fdopen, fork, forkFlags, pipe, waitpid, whyNoFork, write, _exit } from 'simul/os';
import { call, lines } from 'simul/subprocess';

if (whyNoFork()?.includes('simul run'))
  process.exit(await call([process.execPath, ...forkFlags, import.meta.filename]));

const [r, w] = pipe();
const pid = fork();
if (pid === 0) {
  close(r);
  for (let i = 1; i <= 3; i++) await write(w, `item ${i}\n`);
  _exit(0); // closes w, which is the end of the file for the reader
}
close(w); // or there would be a writer left, and no end
for await (const item of lines(fdopen(r, 'r'))) console.log('consumed', item);
await waitpid(pid);
console.log('the producer is done');
