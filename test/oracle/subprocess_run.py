"""The oracle of test/subprocess/python.test.ts: what CPython's subprocess does with the same programs."""
import json
import subprocess
import sys
from subprocess import DEVNULL, PIPE, STDOUT

trace = []


def note(name, fn):
    try:
        trace.append([name, fn()])
    except subprocess.CalledProcessError as error:
        trace.append([name, 'CalledProcessError', error.returncode, error.cmd, error.stdout, error.stderr])
    except subprocess.TimeoutExpired as error:
        out = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout
        trace.append([name, 'TimeoutExpired', error.timeout, error.cmd, out])
    except OSError as error:
        trace.append([name, 'OSError', error.errno])


def done(result):
    return [result.args, result.returncode, result.stdout, result.stderr]


run, sh = subprocess.run, lambda script: ['sh', '-c', script]
note('run', lambda: done(run(sh('echo out; echo err >&2; exit 3'), capture_output=True, text=True)))
note('plain', lambda: done(run(['true'])))
note('signal', lambda: done(run(sh('kill -TERM $$'))))
note('check', lambda: done(run(sh('echo o; echo e >&2; exit 4'), capture_output=True, text=True, check=True)))
note('check signal', lambda: done(run(sh('kill -9 $$'), check=True)))
note('input', lambda: done(run(['cat'], input='in\n', stdout=PIPE, text=True)))
note('newlines', lambda: done(run(['printf', 'a\\r\\nb\\rc\\n'], stdout=PIPE, text=True)))
note('merged', lambda: done(run(sh('echo 1; echo 2 >&2; echo 3'), stdout=PIPE, stderr=STDOUT, text=True)))
note('devnull', lambda: done(run(['cat'], stdin=DEVNULL, stdout=PIPE, text=True)))
note('shell', lambda: done(run('echo $((1+1)) | cat', shell=True, stdout=PIPE, text=True)))
note('shell args', lambda: done(run(['echo "$0 $1"', 'a', 'b'], shell=True, stdout=PIPE, text=True)))
note('executable', lambda: done(run(['name', '-c', 'echo $0'], executable='/bin/sh', stdout=PIPE, text=True)))
note('cwd', lambda: done(run(['pwd'], cwd='/usr', stdout=PIPE, text=True)))
note('env', lambda: done(run(sh('echo $A$HOME'), env={'A': 'b', 'PATH': '/bin:/usr/bin'}, stdout=PIPE, text=True)))
note('umask', lambda: done(run(sh('umask'), umask=0o027, stdout=PIPE, text=True)))
note('no program', lambda: done(run(['no-such-program'])))
note('no cwd', lambda: done(run(['true'], cwd='/no/where')))
note('denied', lambda: done(run(['/etc/passwd'])))
note('directory', lambda: done(run(['/usr'])))
note('too long', lambda: done(run(['true', 'x' * 200000])))
note('timeout', lambda: done(run(sh('echo part; exec sleep 60'), stdout=PIPE, text=True, timeout=0.5)))
note('call', lambda: subprocess.call(sh('exit 7')))
note('check_call', lambda: subprocess.check_call(['false']))
note('check_output', lambda: subprocess.check_output(sh('echo x; exit 1'), text=True))
note('getoutput', lambda: subprocess.getoutput('echo a; echo b >&2; echo'))
note('getstatusoutput', lambda: subprocess.getstatusoutput('echo a; exit 5'))
note('getstatusoutput signal', lambda: subprocess.getstatusoutput('kill -9 $$'))
note('string', lambda: done(run('echo x')))
note('sigpipe', lambda: done(run(['bash', '-c', 'yes | head -1; echo ${PIPESTATUS[0]}'], stdout=PIPE, text=True)))


def popen():
    child = subprocess.Popen(['cat'], stdin=PIPE, stdout=PIPE, text=True)
    first = child.poll()
    out = child.communicate('x')
    child.terminate()
    return [first, out, child.returncode, child.wait(), child.poll()]


def killed():
    child = subprocess.Popen(['sleep', '60'])
    child.terminate()
    return [child.wait(), child.returncode]


note('popen', popen)
note('killed', killed)
json.dump(trace, sys.stdout)
