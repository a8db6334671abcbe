// Running programs: run, call, Popen, a pipeline, and a timeout that takes the whole tree.
import { call, PIPE, Popen, run, runPipeline, TimeoutExpired } from 'simul/subprocess';

const done = await run(['uname', '-s'], { captureOutput: true, text: true, check: true });
console.log('system:', done.stdout.trim());

console.log('false gives', await call(['false']));

const sort = new Popen(['sort'], { stdin: PIPE, stdout: PIPE, text: true });
const [sorted] = await sort.communicate({ input: 'pear\napple\nfig\n' });
console.log('sorted:', sorted?.trim().split('\n').join(', '));

const top = await runPipeline(
  [
    ['seq', '100000'],
    ['sort', '-rn'],
    ['head', '-3'],
  ],
  { captureOutput: true, text: true },
);
console.log('largest:', top.stdout.trim().split('\n').join(', '));

try {
  await run(['sh', '-c', 'echo so far; sleep 60 & sleep 60'], { timeout: 0.3, captureOutput: true, text: true });
} catch (error) {
  if (error instanceof TimeoutExpired) console.log('too slow, but it said:', String(error.stdout).trim());
}
