// The same as signals.py, through ours; the lines are compared with those of CPython.
import { fork, getpgid, getpid, waitpid, waitstatusToExitcode, _exit } from '../../src/entry/os.ts';
import type { SignalAction } from '../../src/entry/signal.ts';
import * as S from '../../src/entry/signal.ts';
import { run } from '../../src/entry/subprocess.ts';
import { InvalidArgumentError, SystemError, TimeoutError } from '../../src/entry/errors.ts';

function say(name: string, ...values: unknown[]): void {
  console.log(JSON.stringify([name, ...values.map((value) => value ?? null)]));
}

const named = (action: SignalAction | undefined): unknown => (typeof action === 'function' ? 'a handler' : action);

function refused(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError || error instanceof InvalidArgumentError) return 'refused';
    throw error;
  }
}

const heard: number[] = [];
const handler = (signum: number): void => void heard.push(signum);
const forget = (): void => void heard.splice(0);
/** Handlers run in the event loop, where CPython's run before the next bytecode. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};
const untilHeard = async (count: number): Promise<void> => {
  while (heard.length < count) await new Promise((resolve) => setImmediate(resolve));
};

async function handlers(): Promise<void> {
  say('at first', named(S.getsignal('SIGUSR1')));
  say('set', named(S.signal('SIGUSR1', handler)), S.getsignal('SIGUSR1') === handler);
  S.raiseSignal('SIGUSR1');
  await untilHeard(1);
  say('heard', heard);
  S.kill(getpid(), 'SIGUSR1');
  await untilHeard(2);
  say('by kill', heard);
  S.killpg(getpgid(), 'SIGCONT');
  say('replaced', named(S.signal('SIGUSR1', S.SIG_IGN)), named(S.getsignal('SIGUSR1')));
  S.raiseSignal('SIGUSR1');
  await turns();
  say('ignored', heard);
  say('default', named(S.signal('SIGUSR1', S.SIG_DFL)), named(S.getsignal('SIGUSR1')));
  say('handler again', named(S.signal('SIGUSR1', handler)), named(S.signal('SIGUSR1', handler)));
  const none = [9, 19, 0, -1, 65, 1000];
  say('refused', ...none.map((number) => refused(() => S.signal(number, S.SIG_IGN))));
  say(
    'raise refused',
    refused(() => S.raiseSignal(1000)),
  );
  const words = Array.from({ length: 31 }, (_, i) => S.strsignal(i + 1));
  say('words', words, S.strsignal(65) ?? 'refused');
  say(
    'valid',
    [...S.validSignals()].sort((a, b) => a - b),
  );
}

async function timers(): Promise<void> {
  S.signal('SIGALRM', handler);
  forget();
  const alarms = [S.alarm(100), [99, 100].includes(S.alarm(50)), [49, 50].includes(S.alarm(0)), S.alarm(0)];
  say('alarm', ...alarms);
  say('setitimer', S.setitimer(S.ITIMER_REAL, 0.01), S.getitimer(S.ITIMER_VIRTUAL));
  await S.pause();
  say('rang', heard, S.getitimer(S.ITIMER_REAL));
  S.setitimer(S.ITIMER_REAL, 100, 50);
  const [left, interval] = S.getitimer(S.ITIMER_REAL);
  say('getitimer', left > 99 && left <= 100.001, interval);
  const [before, again] = S.setitimer(S.ITIMER_REAL, 0);
  say('disarmed', before > 99 && before <= 100.001, again, S.getitimer(S.ITIMER_REAL));
  forget();
  S.setitimer(S.ITIMER_REAL, 0.01, 0.01);
  while (heard.length < 3) await S.pause();
  S.setitimer(S.ITIMER_REAL, 0);
  say(
    'interval',
    heard.every((signum) => signum === S.Signals.SIGALRM),
  );
  for (const [name, sig, which] of [
    ['virtual', 'SIGVTALRM', S.ITIMER_VIRTUAL],
    ['prof', 'SIGPROF', S.ITIMER_PROF],
  ] as const) {
    S.signal(sig, handler);
    forget();
    S.setitimer(which, 0.01);
    await untilHeard(1);
    say(name, heard);
  }
  say(
    'no timer',
    refused(() => S.setitimer(7, 1)),
    refused(() => S.setitimer(S.ITIMER_REAL, -1)),
  );
}

async function waits(): Promise<void> {
  forget();
  const waiting = S.sigwait(['SIGUSR1', 'SIGUSR2']);
  S.raiseSignal('SIGUSR2');
  say('sigwait', await waiting, heard);
  const inTime = await S.sigwait(['SIGUSR1'], { timeout: 0.01 }).catch((error: unknown) => {
    if (!(error instanceof TimeoutError)) throw error;
  });
  say('in time', inTime);
}

async function ignored(sig: NodeJS.Signals): Promise<boolean> {
  const { stdout } = await run(['grep', 'SigIgn', '/proc/self/status'], { captureOutput: true, text: true });
  return ((BigInt(`0x${stdout.split('\t')[1]!.trim()}`) >> BigInt(S.Signals[sig] - 1)) & 1n) === 1n;
}

async function programs(): Promise<void> {
  S.signal('SIGUSR2', S.SIG_IGN);
  say('exec', await ignored('SIGUSR2'), await ignored('SIGUSR1'), await ignored('SIGPIPE'));
  const sh = async (script: string): Promise<number> => (await run(['sh', '-c', script])).returncode;
  const ends = ['kill -TERM $$', 'kill -USR1 $$', 'kill -USR2 $$; exit 3', 'kill -CHLD $$; exit 4'];
  const codes: number[] = [];
  for (const script of ends) codes.push(await sh(script));
  say('ends', ...codes);
  S.setitimer(S.ITIMER_REAL, 100);
  const pid = fork();
  if (pid === 0) {
    forget();
    S.raiseSignal('SIGUSR1');
    await untilHeard(1);
    _exit(heard[0] === S.Signals.SIGUSR1 && S.getitimer(S.ITIMER_REAL)[0] === 0 ? 5 : 1);
  }
  say('fork', waitstatusToExitcode((await waitpid(pid))[1]), S.getitimer(S.ITIMER_REAL)[0] > 0);
}

await handlers();
await timers();
await waits();
await programs();
