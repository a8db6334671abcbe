// The same programs as subprocess_run.py, through ours; what comes out is compared with what CPython prints.
import { CalledProcessError, DEVNULL, PIPE, Popen, STDOUT, TimeoutExpired } from '../../src/entry/subprocess.ts';
import * as subprocess from '../../src/entry/subprocess.ts';
import { SystemError } from '../../src/base/errors.ts';
import type { CompletedProcess, RunOptions } from '../../src/entry/subprocess.ts';

const sh = (script: string) => ['sh', '-c', script];
const text = { text: true } as const;

/** How programs are run: by posix_spawn or Node's own spawn, or blocking. */
export type Way = 'posix' | 'node' | 'blocking';

type Calls = Pick<typeof subprocess, 'run' | 'call' | 'checkCall' | 'checkOutput' | 'getoutput' | 'getstatusoutput'>;

/** The trace, as JSON would have it. */
export async function trace(way: Way): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const [name, fn] of Object.entries(cases(way))) rows.push([name, ...(await outcome(fn))]);
  return JSON.parse(JSON.stringify(rows, (_, value: unknown) => (value === undefined ? null : value))) as unknown[];
}

async function outcome(fn: () => unknown): Promise<unknown[]> {
  try {
    const value = await fn();
    return [value instanceof subprocess.CompletedProcess ? shown(value) : value];
  } catch (error) {
    if (error instanceof CalledProcessError)
      return ['CalledProcessError', error.returncode, error.cmd, error.stdout, error.stderr];
    if (error instanceof TimeoutExpired) return ['TimeoutExpired', error.timeout, error.cmd, error.stdout];
    if (error instanceof SystemError) return ['OSError', error.errno];
    throw error;
  }
}

function shown({ args, returncode, stdout, stderr }: CompletedProcess): unknown[] {
  return [args, returncode, stdout, stderr];
}

function calls(way: Way): Calls {
  if (way !== 'blocking') return subprocess;
  const { runSync, callSync, checkCallSync, checkOutputSync, getoutputSync, getstatusoutputSync } = subprocess;
  const blocking = {
    run: runSync,
    call: callSync,
    checkCall: checkCallSync,
    checkOutput: checkOutputSync,
    getoutput: getoutputSync,
    getstatusoutput: getstatusoutputSync,
  };
  return blocking as unknown as Calls;
}

const cases = (way: Way): Record<string, () => unknown> => {
  const { run: start, call, checkCall, checkOutput, getoutput, getstatusoutput } = calls(way);
  const launcher = way === 'node' ? 'node' : 'auto';
  const run = (args: string | readonly string[], options: RunOptions = {}) => start(args, { launcher, ...options });
  return {
    run: () => run(sh('echo out; echo err >&2; exit 3'), { captureOutput: true, ...text }),
    plain: () => run(['true']),
    signal: () => run(sh('kill -TERM $$')),
    check: () => run(sh('echo o; echo e >&2; exit 4'), { captureOutput: true, ...text, check: true }),
    'check signal': () => run(sh('kill -9 $$'), { check: true }),
    input: () => run(['cat'], { input: 'in\n', stdout: PIPE, ...text }),
    newlines: () => run(['printf', String.raw`a\r\nb\rc\n`], { stdout: PIPE, ...text }),
    merged: () => run(sh('echo 1; echo 2 >&2; echo 3'), { stdout: PIPE, stderr: STDOUT, ...text }),
    devnull: () => run(['cat'], { stdin: DEVNULL, stdout: PIPE, ...text }),
    shell: () => run('echo $((1+1)) | cat', { shell: true, stdout: PIPE, ...text }),
    'shell args': () => run(['echo "$0 $1"', 'a', 'b'], { shell: true, stdout: PIPE, ...text }),
    executable: () => run(['name', '-c', 'echo $0'], { executable: '/bin/sh', stdout: PIPE, ...text }),
    cwd: () => run(['pwd'], { cwd: '/usr', stdout: PIPE, ...text }),
    env: () => run(sh('echo $A$HOME'), { env: { A: 'b', PATH: '/bin:/usr/bin' }, stdout: PIPE, ...text }),
    umask: () => run(sh('umask'), { umask: 0o027, stdout: PIPE, ...text }),
    'no program': () => run(['no-such-program']),
    'no cwd': () => run(['true'], { cwd: '/no/where' }),
    denied: () => run(['/etc/passwd']),
    directory: () => run(['/usr']),
    'too long': () => run(['true', 'x'.repeat(200_000)]),
    timeout: () => run(sh('echo part; exec sleep 60'), { stdout: PIPE, ...text, timeout: 0.5 }),
    call: () => call(sh('exit 7'), { launcher }),
    check_call: () => checkCall(['false'], { launcher }),
    check_output: () => checkOutput(sh('echo x; exit 1'), { launcher, ...text }),
    getoutput: () => getoutput('echo a; echo b >&2; echo', { launcher }),
    getstatusoutput: () => getstatusoutput('echo a; exit 5', { launcher }),
    'getstatusoutput signal': () => getstatusoutput('kill -9 $$', { launcher }),
    string: () => run('echo x'),
    sigpipe: () => run(['bash', '-c', 'yes | head -1; echo ${PIPESTATUS[0]}'], { stdout: PIPE, ...text }),
    popen: async () => {
      const child = new Popen(['cat'], { launcher, stdin: PIPE, stdout: PIPE, ...text });
      const first = child.poll();
      const output = await child.communicate({ input: 'x' });
      child.terminate();
      return [first, output, child.returncode, await child.wait(), child.poll()];
    },
    killed: async () => {
      const child = new Popen(['sleep', '60'], { launcher });
      child.terminate();
      return [await child.wait(), child.returncode];
    },
  };
};
