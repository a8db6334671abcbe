import { within } from '../../src/base/deadline.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import * as S from '../../src/entry/signal.ts';
import { program, sized } from '../fixtures/program.ts';

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

test('signal sets and returns what was before; getsignal tells', async () => {
  const log: unknown[] = [];
  const handler: S.SignalHandler = (signum, name) => log.push(signum, name);
  assert.equal(S.getsignal('SIGURG'), S.SIG_DFL);
  assert.equal(S.signal('SIGURG', handler), S.SIG_DFL);
  assert.equal(S.getsignal(S.Signals.SIGURG), handler);
  S.raiseSignal('SIGURG');
  assert.deepEqual(log, []); // handlers run in the loop, not here
  await S.pause({ timeout: 5 });
  assert.deepEqual(log, [23, 'SIGURG']);
  assert.equal(S.signal(23, S.SIG_IGN), handler);
  assert.equal(S.getsignal('SIGURG'), S.SIG_IGN);
  S.raiseSignal('SIGURG');
  await turn();
  assert.equal(S.signal('SIGURG', handler), S.SIG_IGN);
  assert.equal(S.signal('SIGURG', S.SIG_DFL), handler);
  assert.equal(S.getsignal('SIGURG'), S.SIG_DFL);
  assert.deepEqual(log, [23, 'SIGURG']);
});

test('what Node itself has set is seen as it acts', () => {
  assert.equal(S.getsignal('SIGPIPE'), S.SIG_IGN);
  assert.equal(S.getsignal('SIGINT'), S.SIG_DFL);
  assert.equal(S.getsignal('SIGCHLD'), S.SIG_DFL);
});

test("others' listeners are left in place, and heard again after SIG_IGN", async () => {
  let heard = 0;
  const listener = () => heard++;
  process.on('SIGHUP', listener);
  assert.equal(S.getsignal('SIGHUP'), undefined);
  assert.equal(S.signal('SIGHUP', S.SIG_IGN), undefined);
  S.raiseSignal('SIGHUP');
  await turn();
  assert.equal(heard, 0);
  let ours = 0;
  S.signal('SIGHUP', () => ours++);
  S.raiseSignal('SIGHUP');
  await S.pause({ timeout: 5 });
  assert.deepEqual([heard, ours], [1, 1]);
  S.signal('SIGHUP', S.SIG_IGN);
  process.removeListener('SIGHUP', listener);
  S.signal('SIGHUP', S.SIG_DFL);
});

test('what cannot be set is refused with the reason', async () => {
  for (const sig of ['SIGKILL', 'SIGSTOP'] as const)
    for (const action of [S.SIG_IGN, S.SIG_DFL, () => {}] as const)
      assert.throws(() => S.signal(sig, action), {
        name: 'SystemError',
        code: 'EINVAL',
        errno: 22,
        syscall: 'sigaction',
      });
  for (const sig of [0, -1, 65, 1000]) {
    assert.throws(() => S.signal(sig, S.SIG_IGN), { name: 'SystemError', code: 'EINVAL' });
    assert.throws(() => S.getsignal(sig), { code: 'EINVAL' });
  }
  assert.throws(() => S.signal('SIGNOPE' as 'SIGINT', S.SIG_IGN), { name: 'InvalidArgumentError' });
  assert.throws(() => S.signal('SIGINT', 'x' as 'SIG_IGN'), { name: 'InvalidArgumentError', argument: 'action' });
  assert.throws(() => S.signal('SIGCHLD', S.SIG_IGN), { name: 'UnsupportedError', message: /reap every child/ });
  assert.throws(() => S.signal(40, () => {}), { name: 'UnsupportedError' });
  assert.equal(S.signal(40, S.SIG_IGN), S.SIG_DFL);
  assert.equal(S.signal(40, S.SIG_DFL), S.SIG_IGN);
  assert.throws(() => S.raiseSignal(1000), { code: 'EINVAL', syscall: 'kill' });
  const [code, message] = JSON.parse((await program('signal/cases', ['worker'])).stdout);
  assert.equal(code, 'SIMUL_UNSUPPORTED');
  assert.match(message, /main thread/);
});

test('sigwait takes a signal in place of its handler and of its default', async () => {
  let handled = 0;
  S.signal('SIGUSR1', () => handled++);
  setImmediate(() => S.raiseSignal('SIGUSR1'));
  assert.equal(await S.sigwait(['SIGUSR1', 'SIGTERM'], { timeout: 5 }), 10);
  setImmediate(() => S.raiseSignal('SIGTERM'));
  assert.equal(await S.sigwait(['SIGUSR1', 'SIGTERM'], { timeout: 5 }), 15);
  assert.equal(handled, 0);
  const two = [S.sigwait(['SIGUSR1'], { timeout: 5 }), S.sigwait(['SIGUSR1'], { timeout: 5 })];
  setImmediate(() => (S.raiseSignal('SIGUSR1'), setTimeout(() => S.raiseSignal('SIGUSR1'), 1)));
  assert.deepEqual(await Promise.all(two), [10, 10]);
  S.raiseSignal('SIGUSR1');
  await S.pause({ timeout: 5 });
  assert.equal(handled, 1);
  await assert.rejects(S.sigwait(['SIGHUP'], { timeout: 0.01 }), { name: 'TimeoutError' });
  await assert.rejects(S.sigwait(['SIGHUP'], { signal: AbortSignal.timeout(10) }), { name: 'CancelledError' });
  await assert.rejects(S.sigwait([]), { name: 'InvalidArgumentError' });
  await assert.rejects(S.sigwait(['SIGKILL']), { code: 'EINVAL' });
  assert.equal(S.getsignal('SIGHUP'), S.SIG_DFL);
  S.signal('SIGHUP', S.SIG_IGN);
  setImmediate(() => S.raiseSignal('SIGHUP'));
  assert.equal(await S.sigwait(['SIGHUP'], { timeout: 5 }), 1);
  assert.equal(S.getsignal('SIGHUP'), S.SIG_IGN);
  S.signal('SIGHUP', S.SIG_DFL);
  S.signal('SIGUSR1', S.SIG_DFL);
  await assert.rejects(S.pause({ timeout: 0.01 }), { name: 'TimeoutError' });
  await assert.rejects(S.pause({ signal: AbortSignal.abort() }), { name: 'CancelledError' });
});

test('alarm and interval timers', async () => {
  let alarms = 0;
  S.signal('SIGALRM', () => alarms++);
  assert.deepEqual(S.setitimer(S.ITIMER_REAL, 0.005, 0.002), [0, 0]);
  for (let waits = 0; waits < 3; waits++) await S.pause({ timeout: 5 });
  assert.ok(alarms >= 3);
  assert.equal(S.getitimer(S.ITIMER_REAL)[1], 0.002);
  const [, interval] = S.setitimer(S.ITIMER_REAL, 0);
  assert.equal(interval, 0.002);
  assert.equal(S.alarm(100), 0);
  assert.ok([99, 100].includes(S.alarm(0)));
  assert.equal(S.alarm(0), 0);
  assert.ok(S.setitimer(S.ITIMER_VIRTUAL, 1e-9) && S.getitimer(S.ITIMER_VIRTUAL)[0] > 0);
  S.setitimer(S.ITIMER_VIRTUAL, 0);
  assert.throws(() => S.alarm(1.5), { name: 'InvalidArgumentError' });
  assert.throws(() => S.setitimer(9, 1), { name: 'InvalidArgumentError', argument: 'which' });
  assert.throws(() => S.setitimer(0, -1), { name: 'InvalidArgumentError' });
  S.signal('SIGALRM', S.SIG_DFL);
});

test('names and words', () => {
  assert.equal(S.strsignal(S.Signals.SIGINT), 'Interrupt');
  assert.equal(S.strsignal(1000), undefined);
  assert.equal(S.signalName(15), 'SIGTERM');
  assert.equal(S.signalName(40), undefined);
});

test('a storm of signals: none run twice, equal ones may be merged', async () => {
  const count = sized(10_000, 2000);
  const { stdout, stderr } = await program('signal/cases', ['storm', String(count)]);
  assert.equal(stdout, '[true,true,2]\n', stderr);
});

test('handlers run in order of arrival', async () => {
  assert.equal((await program('signal/cases', ['order'])).stdout, '[true,true]\n');
});

test('ignored, restored, at exit, SIGUSR1, alarm: what becomes of the program', async () => {
  const outcome = async (name: string) => {
    const { code, signal, stdout } = await program('signal/cases', [name]);
    return [code, signal, stdout.trim()];
  };
  assert.deepEqual(await outcome('ignored'), [0, null, '"alive"']);
  assert.deepEqual(await outcome('restored'), [null, 'SIGTERM', '']);
  assert.deepEqual(await outcome('exit'), [null, 'SIGTERM', '']);
  assert.deepEqual(await outcome('alarm'), [null, 'SIGALRM', '']);
  assert.deepEqual(await outcome('thrown'), [0, null, '"from the handler"']);
});

test("SIGUSR1 opens Node's inspector until somebody takes it, and never again after that", async () => {
  const outcome = async (name: string) => {
    const { code, signal, stdout } = await program('signal/cases', [name], {
      env: { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' },
    });
    return [code, signal, stdout.trim()];
  };
  assert.deepEqual(await outcome('usr1Inspector'), [0, null, '["SIG_DFL",null]\n"opened"']);
  assert.deepEqual(await outcome('usr1Handled'), [0, null, '["handled",null]']);
  assert.deepEqual(await outcome('usr1'), [null, 'SIGUSR1', '']);
  assert.deepEqual(await outcome('usr1Waited'), [null, 'SIGUSR1', '[10,null]']);
});

test('undefined gives a signal back to those who listen by process.on', async () => {
  let heard = 0;
  const listener = () => heard++;
  process.on('SIGUSR2', listener);
  for (const action of [S.SIG_IGN, S.SIG_DFL, () => {}] as const) {
    const previous = S.signal('SIGUSR2', action);
    assert.equal(previous, undefined);
    S.signal('SIGUSR2', previous);
    assert.equal(S.getsignal('SIGUSR2'), undefined);
  }
  const taken = S.sigwait(['SIGUSR2'], { timeout: 5 });
  S.raiseSignal('SIGUSR2');
  await taken;
  const before = heard;
  S.raiseSignal('SIGUSR2');
  await S.sigwait(['SIGURG'], { timeout: 0.05 }).catch(() => {});
  assert.equal(heard, before + 1);
  process.removeListener('SIGUSR2', listener);
  assert.equal(S.getsignal('SIGUSR2'), S.SIG_DFL);
});

test('a listener of others that comes while a signal is ignored does not undo a handler that follows', async () => {
  for (const between of [[], [S.SIG_DFL]] as const) {
    S.signal('SIGUSR2', S.SIG_IGN);
    const listener = () => {};
    process.on('SIGUSR2', listener);
    assert.equal(S.getsignal('SIGUSR2'), undefined);
    for (const action of between) S.signal('SIGUSR2', action);
    const heard = new Promise((resolve) => S.signal('SIGUSR2', resolve));
    S.raiseSignal('SIGUSR2');
    // A signal does not keep the program alive; the bound of the wait does.
    assert.equal(await within(heard, { timeout: 10 }), S.Signals.SIGUSR2);
    process.removeListener('SIGUSR2', listener);
    S.signal('SIGUSR2', S.SIG_DFL);
  }
});

test("the default for SIGCHLD leaves Node's own children their ends", async () => {
  const listener = () => {};
  process.on('SIGCHLD', listener);
  assert.equal(
    S.signal('SIGCHLD', () => {}),
    undefined,
  );
  S.signal('SIGCHLD', S.SIG_DFL);
  const [code] = (await once(spawn('true'), 'exit')) as [number];
  assert.equal(code, 0);
  process.removeListener('SIGCHLD', listener);
});

test('a time the kernel cannot hold is refused', () => {
  assert.throws(() => S.setitimer(S.ITIMER_REAL, Infinity), { name: 'InvalidArgumentError', message: /^seconds/ });
});
