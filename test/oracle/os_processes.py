"""The oracle of test/os/python.test.ts: what CPython's os does about processes, wait statuses, pipes and FIFOs."""
import errno
import json
import os
import signal
import stat
import tempfile


def say(name, *values):
    print(json.dumps([name, *values]), flush=True)


def error(call):
    """The system's name of the error, 'refused' for an argument that cannot be, or what it gave."""
    try:
        return call()
    except OSError as failure:
        return errno.errorcode[failure.errno]
    except ValueError:
        return 'refused'


def child(fn):
    pid = os.fork()
    if pid == 0:
        os._exit(fn() or 0)
    return pid


def taken_apart(status):
    code = error(lambda: os.waitstatus_to_exitcode(status))
    parts = [os.WIFEXITED(status), os.WIFSIGNALED(status), os.WIFSTOPPED(status), os.WIFCONTINUED(status)]
    if os.WIFEXITED(status):
        parts.append(os.WEXITSTATUS(status))
    if os.WIFSIGNALED(status):
        parts += [os.WTERMSIG(status), os.WCOREDUMP(status)]
    if os.WIFSTOPPED(status):
        parts.append(os.WSTOPSIG(status))
    return [code, *parts]


def state(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return None


def asleep():
    signal.pause()


def ended(name, fn, then=None):
    pid = child(fn)
    if then:
        then(pid)
    got, status = os.waitpid(pid, 0)
    say(name, got == pid, taken_apart(status))


# wait statuses
ended('exit 0', lambda: 0)
ended('exit 7', lambda: 7)
ended('exit 300', lambda: 300)
ended('SIGTERM', asleep, lambda pid: os.kill(pid, signal.SIGTERM))
ended('SIGKILL', asleep, lambda pid: os.kill(pid, signal.SIGKILL))
pid = child(asleep)
say('running', os.waitpid(pid, os.WNOHANG))
os.kill(pid, signal.SIGSTOP)
say('stopped', taken_apart(os.waitpid(pid, os.WUNTRACED)[1]), os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
os.kill(pid, signal.SIGCONT)
say('continued', taken_apart(os.waitpid(pid, os.WCONTINUED)[1]))
os.kill(pid, signal.SIGKILL)
say('killed', taken_apart(os.waitpid(pid, 0)[1]))
say('reaped', error(lambda: os.waitpid(pid, 0)))

# whom one may wait for
say('nobody', error(lambda: os.wait()), error(lambda: os.waitpid(-1, os.WNOHANG)), error(lambda: os.waitpid(1, 0)))
pids = [child(lambda code=code: code) for code in (1, 2, 3)]
got = [os.wait() for _ in pids]
say('any', sorted(pid for pid, _ in got) == sorted(pids), sorted(os.waitstatus_to_exitcode(s) for _, s in got))
group = child(lambda: (os.setpgid(0, 0), asleep()))
while os.getpgid(group) != group:
    pass
os.killpg(group, signal.SIGTERM)
say('group', os.waitpid(-group, 0) == (group, signal.SIGTERM))
pid = child(lambda: 0)
while state(pid) != 'Z':
    pass
say('zombie', state(pid), os.waitpid(pid, 0)[0] == pid, state(pid))

# processes, groups, sessions
parent = os.getpid()
ended('parent', lambda: 0 if os.getppid() == parent and os.getpid() != parent else 1)
ended('setsid', lambda: (os.setsid(), 0 if os.getpid() == os.getsid(0) == os.getpgid(0) else 1)[1])
ended('setsid twice', lambda: (os.setsid(), 0 if error(os.setsid) == 'EPERM' else 1)[1])
ended('setpgid', lambda: (os.setpgid(0, 0), 0 if os.getpgid(0) == os.getpid() else 1)[1])
say('kill', error(lambda: os.kill(parent, 0)), error(lambda: os.kill(pid, 0)), error(lambda: os.kill(parent, 999)))
say('getpgid', error(lambda: os.getpgid(pid)), error(lambda: os.getsid(pid)), error(lambda: os.setpgid(pid, 0)))
say('nice', os.nice(0) == os.getpriority(os.PRIO_PROCESS, 0))
ended('nicer', lambda: os.nice(3) - 3 == os.getpriority(os.PRIO_PROCESS, os.getppid()) and 3)
ended('affinity', lambda: (os.sched_setaffinity(0, {0}), len(os.sched_getaffinity(0)))[1])

events = []
os.register_at_fork(before=lambda: events.append('before 1'), after_in_parent=lambda: events.append('parent 1'),
                    after_in_child=lambda: events.append('child 1'))
os.register_at_fork(before=lambda: events.append('before 2'), after_in_parent=lambda: events.append('parent 2'),
                    after_in_child=lambda: events.append('child 2'))
cr, cw = os.pipe()
pid = child(lambda: os.write(cw, json.dumps(events).encode()) and 0)
say('hooks', events, json.loads(os.read(cr, 1000)))
os.waitpid(pid, 0)

# pipes
r, w = os.pipe()
say('flags', os.get_inheritable(r), os.get_inheritable(w), os.get_blocking(r), os.get_blocking(w))
say('pipe', os.write(w, b'hello'), os.read(r, 3).decode(), os.read(r, 100).decode())
os.set_inheritable(r, True)
os.set_blocking(r, False)
say('set', os.get_inheritable(r), os.get_blocking(r), os.get_inheritable(w), os.get_blocking(w))
pr, pw = os.pipe2(os.O_NONBLOCK)
say('pipe2', os.get_inheritable(pr), os.get_blocking(pr), os.get_blocking(pw))
copy = os.dup(w)
say('dup', os.get_inheritable(copy), copy != w, os.dup2(w, pw) == pw, os.get_inheritable(pw),
    os.dup2(w, pw, False) == pw, os.get_inheritable(pw))
os.close(w)
os.close(copy)
os.write(pw, b'last')
os.close(pw)
os.set_blocking(r, True)
say('end', os.read(r, 100).decode(), os.read(r, 100).decode())
say('closed', error(lambda: os.close(w)), error(lambda: os.write(w, b'x')), error(lambda: os.read(w, 1)),
    error(lambda: os.dup(w)), error(lambda: os.dup2(w, 50)), error(lambda: os.get_blocking(w)))
br, bw = os.pipe()
os.close(br)
say('broken', error(lambda: os.write(bw, b'x')))
fr, fw = os.pipe()
pid = child(lambda: os.write(fw, b'from the child') and 0)
os.close(fw)
say('forked', os.read(fr, 100).decode(), os.read(fr, 100).decode(), os.waitpid(pid, 0)[1])

# FIFOs
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, 'fifo')
    os.umask(0o022)
    os.mkfifo(path)
    mode = os.stat(path).st_mode
    say('mkfifo', stat.S_ISFIFO(mode), oct(mode & 0o777), error(lambda: os.mkfifo(path)),
        error(lambda: os.mkfifo(os.path.join(directory, 'no', 'fifo'))))
    os.mkfifo(path + '2', 0o600)
    say('mode', oct(os.stat(path + '2').st_mode & 0o777))

    def tell():
        with open(path, 'wb') as fifo:
            fifo.write(b'over the FIFO')

    pid = child(tell)
    with open(path, 'rb') as fifo:
        say('told', fifo.read().decode(), os.waitpid(pid, 0)[1])
