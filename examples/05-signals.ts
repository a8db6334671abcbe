// Signals: a handler, one that is ignored, one with its default; who sends and who waits.
import { getsignal, pause, raiseSignal, SIG_DFL, SIG_IGN, signal, sigwait, strsignal } from 'simul/signal';
import { PIPE, Popen } from 'simul/subprocess';

signal('SIGUSR1', (signum, name) => console.log(`handler: ${name} (${signum}, ${strsignal(signum)})`));
raiseSignal('SIGUSR1');
await pause();

const previous = signal('SIGINT', SIG_IGN);
raiseSignal('SIGINT');
console.log('SIGINT ignored, still here; before it was', previous);
signal('SIGINT', SIG_DFL);
console.log('now it is', getsignal('SIGINT'));

setTimeout(() => raiseSignal('SIGTERM'), 10);
console.log('waited for signal', await sigwait(['SIGTERM']));

const child = new Popen(['sh', '-c', 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.1; done'], {
  stdout: PIPE,
});
for await (const line of child.lines()) {
  console.log('child:', line);
  if (line === 'ready') child.terminate();
}
console.log('child ended with', await child.wait());
