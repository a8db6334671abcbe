"""The oracle of test/signal/python.test.ts: what CPython's signal does."""
import errno
import json
import os
import signal
import subprocess
import time

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2


def say(name, *values):
    print(json.dumps([name, *values]), flush=True)


def named(action):
    return action.name if isinstance(action, signal.Handlers) else 'a handler' if callable(action) else action


def refused(call):
    try:
        return call()
    except (OSError, ValueError) as error:
        return 'refused'


heard = []
handler = lambda signum, frame: heard.append(signum)

say('at first', named(signal.getsignal(USR1)))
say('set', named(signal.signal(USR1, handler)), signal.getsignal(USR1) == handler)
signal.raise_signal(USR1)
say('heard', heard)
os.kill(os.getpid(), USR1)
say('by kill', heard)
os.killpg(os.getpgrp(), signal.SIGCONT)
say('replaced', named(signal.signal(USR1, signal.SIG_IGN)), named(signal.getsignal(USR1)))
signal.raise_signal(USR1)
say('ignored', heard)
say('default', named(signal.signal(USR1, signal.SIG_DFL)), named(signal.getsignal(USR1)))
say('handler again', named(signal.signal(USR1, handler)), named(signal.signal(USR1, handler)))
say('refused', *[refused(lambda: signal.signal(number, signal.SIG_IGN))
                 for number in (signal.SIGKILL, signal.SIGSTOP, 0, -1, 65, 1000)])
say('raise refused', refused(lambda: signal.raise_signal(1000)))
say('words', [signal.strsignal(number) for number in range(1, 32)], refused(lambda: signal.strsignal(65)))
say('valid', sorted(signal.valid_signals()))

# timers
signal.signal(signal.SIGALRM, handler)
del heard[:]
say('alarm', signal.alarm(100), signal.alarm(50) in (99, 100), signal.alarm(0) in (49, 50), signal.alarm(0))
say('setitimer', signal.setitimer(signal.ITIMER_REAL, 0.01), signal.getitimer(signal.ITIMER_VIRTUAL))
signal.pause()
say('rang', heard, signal.getitimer(signal.ITIMER_REAL))
signal.setitimer(signal.ITIMER_REAL, 100, 50)
left, interval = signal.getitimer(signal.ITIMER_REAL)
say('getitimer', 99 < left <= 100.001, interval)
left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
say('disarmed', 99 < left <= 100.001, interval, signal.getitimer(signal.ITIMER_REAL))
del heard[:]
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while len(heard) < 3:
    signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
say('interval', set(heard) == {signal.SIGALRM})
signal.signal(signal.SIGVTALRM, handler)
del heard[:]
signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
while not heard:
    pass
say('virtual', heard)
signal.signal(signal.SIGPROF, handler)
del heard[:]
signal.setitimer(signal.ITIMER_PROF, 0.01)
while not heard:
    pass
say('prof', heard)
say('no timer', refused(lambda: signal.setitimer(7, 1)), refused(lambda: signal.setitimer(signal.ITIMER_REAL, -1)))

# waiting
signal.pthread_sigmask(signal.SIG_BLOCK, {USR1, USR2})
del heard[:]
os.kill(os.getpid(), USR2)
say('sigwait', signal.sigwait({USR1, USR2}), heard)
say('in time', signal.sigtimedwait({USR1}, 0.01))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {USR1, USR2})


# what programs and forked children have of it
def ignored(signum):
    out = subprocess.run(['grep', 'SigIgn', '/proc/self/status'], capture_output=True, text=True).stdout
    return bool(int(out.split()[1], 16) & 1 << signum - 1)


signal.signal(USR2, signal.SIG_IGN)
say('exec', ignored(USR2), ignored(USR1), ignored(signal.SIGPIPE))
sh = lambda script: subprocess.run(['sh', '-c', script]).returncode
say('ends', sh('kill -TERM $$'), sh('kill -USR1 $$'), sh('kill -USR2 $$; exit 3'), sh('kill -CHLD $$; exit 4'))
signal.setitimer(signal.ITIMER_REAL, 100)
pid = os.fork()
if pid == 0:
    del heard[:]
    signal.raise_signal(USR1)
    os._exit(5 if heard == [USR1] and signal.getitimer(signal.ITIMER_REAL) == (0, 0) else 1)
say('fork', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), signal.getitimer(signal.ITIMER_REAL)[0] > 0)
