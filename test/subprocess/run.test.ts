import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Readable } from 'node:stream';
import * as sp from '../../src/entry/subprocess.ts';
import { DEVNULL, PIPE, STDOUT } from '../../src/entry/subprocess.ts';

const notLinux = process.platform !== 'linux' && 'Linux has these';
let directory: string;
before(() => (directory = realpathSync(mkdtempSync(join(tmpdir(), 'simul-run-')))));
after(() => rmSync(directory, { recursive: true }));

for (const launcher of ['auto', 'posix', 'node'] as const) {
  const skip = launcher !== 'node' && process.platform !== 'linux' && 'posix_spawn is used on Linux';
  describe(`by ${launcher}`, { skip }, () => {
    const captured = { launcher, captureOutput: true, text: true } as const;
    const { run } = sp;

    test('run gives arguments, exit code and what was asked for', async () => {
      const done = await run(['sh', '-c', 'echo out; echo err >&2; exit 3'], captured);
      assert.deepEqual(
        { args: done.args, returncode: done.returncode, stdout: done.stdout, stderr: done.stderr },
        {
          args: ['sh', '-c', 'echo out; echo err >&2; exit 3'],
          returncode: 3,
          stdout: 'out\n',
          stderr: 'err\n',
        },
      );
      const quiet = await run(['true'], { launcher });
      assert.deepEqual([quiet.returncode, quiet.stdout, quiet.stderr], [0, undefined, undefined]);
      assert.deepEqual((await run({ args: ['printf', 'x'], launcher, stdout: PIPE })).stdout, Buffer.from('x'));
    });

    test('death by a signal is a negative returncode', async () => {
      assert.equal((await run(['sh', '-c', 'kill -9 $$'], { launcher })).returncode, -9);
    });

    test('check throws with everything that is known', async () => {
      const failing = run(['sh', '-c', 'echo out; echo the reason >&2; exit 4'], { ...captured, check: true });
      await assert.rejects(failing, {
        name: 'CalledProcessError',
        code: 'SIMUL_CALLED_PROCESS',
        returncode: 4,
        stdout: 'out\n',
        output: 'out\n',
        stderr: 'the reason\n',
        message: /returned exit code 4: the reason$/,
      });
      await assert.rejects(run(['sh', '-c', 'kill -TERM $$'], { launcher, check: true }), /died of SIGTERM/);
      const done = await run(['false'], { launcher });
      assert.throws(() => done.checkReturncode(), { returncode: 1 });
    });

    test('input from text, bytes, a stream, and iterables', async () => {
      const text = 'Größe 🙂\n'.repeat(20_000);
      const pieces = [text.slice(0, 1000), Buffer.from(text.slice(1000))];
      async function* slowly() {
        for (const piece of pieces) yield piece;
      }
      for (const input of [text, Buffer.from(text), Readable.from(pieces), pieces, slowly()])
        assert.equal((await run(['cat'], { ...captured, input })).stdout, text);
      assert.equal((await run(['cat'], { ...captured, input: '' })).stdout, '');
    });

    test('a program that does not read its input is no error; a source that fails is', async () => {
      assert.equal((await run(['true'], { launcher, input: Buffer.alloc(1e6) })).returncode, 0);
      async function* failing() {
        yield 'x';
        throw new RangeError('source');
      }
      await assert.rejects(run(['cat'], { ...captured, input: failing() }), RangeError);
    });

    test('stderr joins stdout at the descriptor, in order', async () => {
      const done = await run(['sh', '-c', 'for i in 1 2 3; do echo o$i; echo e$i >&2; done'], {
        launcher,
        stdout: PIPE,
        stderr: STDOUT,
        text: true,
      });
      assert.equal(done.stdout, 'o1\ne1\no2\ne2\no3\ne3\n');
      assert.equal(done.stderr, undefined);
    });

    test('call, checkCall, checkOutput, getoutput, getstatusoutput', async () => {
      assert.equal(await sp.call(['sh', '-c', 'exit 7'], { launcher }), 7);
      assert.equal(await sp.checkCall(['true'], { launcher }), 0);
      await assert.rejects(sp.checkCall(['false'], { launcher }), sp.CalledProcessError);
      assert.equal(await sp.checkOutput(['echo', 'x'], { launcher, text: true }), 'x\n');
      await assert.rejects(sp.checkOutput(['sh', '-c', 'echo y; exit 1'], { launcher, text: true }), { output: 'y\n' });
      await assert.rejects(sp.checkOutput(['true'], { stdout: DEVNULL }), { name: 'InvalidArgumentError' });
      assert.equal(await sp.getoutput('echo a; echo b >&2', { launcher }), 'a\nb');
      assert.deepEqual(await sp.getstatusoutput('echo a; exit 5', { launcher }), [5, 'a']);
      assert.deepEqual(await sp.getstatusoutput('kill -9 $$', { launcher }), [-9, '']);
    });

    test('the same, blocking', () => {
      const done = sp.runSync(['sh', '-c', 'cat; echo err >&2; exit 3'], { ...captured, input: 'in'.repeat(100_000) });
      assert.deepEqual([done.returncode, done.stdout.length, done.stderr], [3, 200_000, 'err\n']);
      assert.equal(sp.runSync({ args: ['true'], launcher }).returncode, 0);
      assert.equal(sp.callSync(['sh', '-c', 'kill -9 $$'], { launcher }), -9);
      assert.equal(sp.checkCallSync(['true'], { launcher }), 0);
      assert.throws(() => sp.checkCallSync(['false'], { launcher }), sp.CalledProcessError);
      assert.deepEqual(sp.checkOutputSync(['echo', 'x'], { launcher }), Buffer.from('x\n'));
      assert.equal(sp.getoutputSync('echo a; echo b >&2', { launcher }), 'a\nb');
      assert.deepEqual(sp.getstatusoutputSync('echo a; exit 5', { launcher }), [5, 'a']);
      assert.equal(sp.runSync(['true'], { launcher, input: Buffer.alloc(1e6) }).returncode, 0);
      assert.throws(() => sp.runSync(['yes'], { ...captured, maxBuffer: 1000 }), { name: 'FullError' });
      assert.throws(() => sp.runSync(['sh', '-c', 'echo part; sleep 60'], { ...captured, timeout: 0.2 }), {
        name: 'TimeoutExpired',
        stdout: 'part\n',
        timeout: 0.2,
      });
    });

    test('text is decoded whole, in any encoding, with universal line ends', async () => {
      const bytes = String.raw`printf '\303'; sleep 0.05; printf '\266\r\nx\ry\n'`;
      assert.equal((await run(['sh', '-c', bytes], captured)).stdout, 'ö\nx\ny\n');
      const latin = String.raw`printf '\366'`;
      assert.equal((await run(['sh', '-c', latin], { ...captured, encoding: 'latin1' })).stdout, 'ö');
      await assert.rejects(run(['sh', '-c', latin], captured), { name: 'DecodeError' });
      assert.equal((await run(['sh', '-c', latin], { ...captured, errors: 'replace' })).stdout, '\ufffd');
      await assert.rejects(run(['true'], { encoding: 'no such' }), {
        name: 'InvalidArgumentError',
        argument: 'encoding',
      });
    });

    test('lines come one by one, also across borders of characters, without reading ahead of need', async () => {
      const child = new sp.Popen(['sh', '-c', String.raw`printf 'a\nb\303'; sleep 0.05; printf '\266\r\nlast'`], {
        launcher,
        stdout: PIPE,
      });
      const seen: string[] = [];
      for await (const line of child.lines()) seen.push(line);
      assert.deepEqual(seen, ['a', 'bö', 'last']);
      assert.equal(await child.wait(), 0);
      const endless = new sp.Popen(['yes'], { launcher, stdout: PIPE });
      let count = 0;
      for await (const line of endless.lines()) if (line === 'y' && ++count === 1000) break;
      // Leaving the loop closed the pipe: yes dies of it (Node's is a socket pair, whose end is an error to it).
      assert.ok([-13, 1].includes(await endless.wait({ timeout: 10 })));
      const long = new sp.Popen(['sh', '-c', 'head -c 100000 /dev/zero'], { launcher, stdout: PIPE });
      await assert.rejects(long.lines({ maxLineLength: 1000 }).next(), { name: 'DecodeError' });
      await long.wait();
    });

    test('cwd, env, umask, executable, shell', async () => {
      const out = async (args: string | string[], options: sp.StartOptions = {}) =>
        (await run(args, { ...options, ...captured })).stdout.trim();
      assert.equal(await out(['pwd'], { cwd: directory }), directory);
      assert.equal(
        await out(['sh', '-c', 'echo $A$B'], { env: { PATH: process.env['PATH'], A: '1', B: undefined } }),
        '1',
      );
      assert.equal(await out(['env'], { env: { A: 'x=y' }, treeCookie: false, executable: '/usr/bin/env' }), 'A=x=y');
      assert.equal(await out(['sh', '-c', 'umask'], { umask: 0o027 }), '0027');
      assert.equal(await out(['other-name', '-c', 'echo $0'], { executable: '/bin/sh' }), 'other-name');
      assert.equal(await out('echo "$((1 + 2))" | cat', { shell: true }), '3');
      assert.equal(await out(['echo "$0-$1"', 'a', 'b'], { shell: true }), 'a-b');
      // Without a shell nothing is interpreted, and a lone string is a program's name.
      assert.equal(await out(['echo', '$HOME; *']), '$HOME; *');
      await assert.rejects(out('echo x'), { code: 'ENOENT', path: 'echo x' });
    });

    test('relative programs are found from cwd, others along PATH of env', async () => {
      const script = join(directory, 'simul-script');
      writeFileSync(script, '#!/bin/sh\necho found\n');
      chmodSync(script, 0o755);
      assert.equal((await run(['./simul-script'], { ...captured, cwd: directory })).stdout, 'found\n');
      assert.equal((await run(['simul-script'], { ...captured, env: { PATH: directory } })).stdout, 'found\n');
      await assert.rejects(run(['simul-script'], { launcher }), { code: 'ENOENT' });
    });

    test('nice, rlimits, user and group', async () => {
      const options = { ...captured, nice: 3, rlimits: { nofile: [50, 60], core: 0 } } as const;
      const done = await run(['sh', '-c', 'nice; ulimit -Sn; ulimit -Hn; ulimit -c'], options);
      assert.deepEqual(done.stdout.trim().split('\n').slice(1), ['50', '60', '0']);
      assert.ok(Number(done.stdout.split('\n')[0]) >= 3);
      if (process.geteuid?.() === 0) {
        const nobody = await run(['id', '-u'], { ...captured, user: 65534, group: 65534, extraGroups: [] });
        assert.equal(nobody.stdout, '65534\n');
        assert.equal((await run(['id', '-G'], { ...captured, user: 1, group: 1, extraGroups: [2] })).stdout, '1 2\n');
      }
      for (const [name, value] of Object.entries({ umask: 0o1000, nice: 1.5, rlimits: { nofile: [9, 3] }, user: -1 }))
        await assert.rejects(run(['true'], { launcher, [name]: value }), { name: 'InvalidArgumentError' });
    });

    test('every failure to start says what and why, and leaves nothing', async () => {
      const plain = join(directory, 'plain');
      writeFileSync(plain, 'text');
      chmodSync(plain, 0o644);
      const binary = join(directory, 'binary');
      writeFileSync(binary, Buffer.from([0, 1, 2, 3]));
      chmodSync(binary, 0o755);
      const fds = readdirSync('/proc/self/fd').length;
      const cases: [string[], sp.RunOptions, object][] = [
        [['no-such-program'], {}, { code: 'ENOENT', path: 'no-such-program', message: /no such program/ }],
        [['/no/such/program'], {}, { code: 'ENOENT', path: '/no/such/program' }],
        [[plain], {}, { code: 'EACCES', path: plain }],
        [[directory], {}, { code: 'EACCES' }],
        [['true'], { cwd: '/no/where' }, { code: 'ENOENT', syscall: 'chdir', path: '/no/where' }],
        [['true'], { cwd: plain }, { code: 'ENOTDIR', syscall: 'chdir', path: plain }],
        [['true', 'x'.repeat(200_000)], {}, { code: 'E2BIG', errno: 7 }],
        [['true'], { stdin: 999 }, { code: 'EBADF' }],
        [['true', 'a\0b'], {}, { name: 'InvalidArgumentError', argument: 'args[1]' }],
        [['true'], { env: { 'A=B': '' } }, { name: 'InvalidArgumentError', argument: 'env' }],
        [['true'], { env: { A: 'x\0' } }, { name: 'InvalidArgumentError', argument: 'env.A' }],
        [['true'], { cwd: 'a\0b' }, { name: 'InvalidArgumentError', argument: 'cwd' }],
        [[], {}, { name: 'InvalidArgumentError', argument: 'args' }],
        [[''], {}, { name: 'InvalidArgumentError', argument: 'args[0]' }],
        [['true'], { stdout: STDOUT }, { name: 'InvalidArgumentError', argument: 'stdout' }],
        [['true'], { stdin: new Readable() }, { name: 'InvalidArgumentError', argument: 'stdin' }],
        [['true'], { passFds: [1] }, { name: 'InvalidArgumentError', argument: 'passFds' }],
        [['true'], { input: 'x', stdin: PIPE }, { name: 'InvalidArgumentError', argument: 'stdin' }],
        [['true'], { captureOutput: true, stdout: PIPE }, { name: 'InvalidArgumentError', argument: 'stdout' }],
        [['true'], { timeout: -1 }, { name: 'InvalidArgumentError', argument: 'timeout' }],
      ];
      for (const [args, options, expected] of cases) {
        await assert.rejects(run(args, { launcher, ...options }), (error: Error) => {
          for (const [key, value] of Object.entries(expected)) {
            const actual = (error as unknown as Record<string, unknown>)[key];
            if (value instanceof RegExp) assert.match(String(actual), value);
            else assert.equal(actual, value, `${key} of ${error.message}`);
          }
          assert.ok(!error.message.includes('\n'));
          return true;
        });
      }
      if (process.platform === 'linux')
        await assert.rejects(run([binary], { launcher }), { code: 'ENOEXEC', path: binary });
      assert.ok(readdirSync('/proc/self/fd').length <= fds);
    });

    test('what a wrapper would find out is told before it starts', { skip: notLinux }, async () => {
      const [script, text] = [join(directory, 'script'), join(directory, 'text')];
      writeFileSync(script, '#!/no/such/interpreter -x\n', { mode: 0o755 });
      writeFileSync(text, 'echo not a script\n', { mode: 0o755 });
      const attributes: sp.RunOptions[] = [{ umask: 0o22 }, { nice: 1 }, { rlimits: { core: 0 } }, { stderr: STDOUT }];
      for (const options of attributes) {
        await assert.rejects(run([script], { launcher, ...options }), { code: 'ENOENT', path: script });
        await assert.rejects(run([text], { launcher, ...options }), { code: 'ENOEXEC', path: text });
      }
      await assert.rejects(run(['true'], { launcher, rlimits: { nofile: Infinity } }), {
        code: 'EPERM',
        syscall: 'prlimit',
      });
      if (process.geteuid?.() !== 0) return;
      for (const name of ['user', 'group'])
        for (const value of ['no-such-account', 2 ** 32])
          await assert.rejects(run(['true'], { launcher, [name]: value }), { argument: name });
      await assert.rejects(run(['true'], { launcher, extraGroups: ['no-such-account'] }), { argument: 'extraGroups' });
      const own = await run(['id', '-un'], { ...captured, user: 'nobody', group: 'nogroup', extraGroups: ['daemon'] });
      assert.equal(own.stdout, 'nobody\n');
    });

    test('a limit binds the program, not what sets it', { skip: notLinux }, async () => {
      const nobody = process.geteuid?.() === 0 ? { user: 65534 } : {};
      const done = await run(['true'], { ...captured, rlimits: { nofile: 0 }, nice: 1, umask: 0o22, ...nobody });
      assert.match(done.stderr, /^[^ ]*true: error while loading/);
    });

    test('more output than may be kept kills the program', async () => {
      await assert.rejects(run(['yes'], { ...captured, maxBuffer: 100_000 }), {
        name: 'FullError',
        message: /stdout of yes exceeded maxBuffer \(100000 bytes\)/,
      });
      await assert.rejects(run(['true'], { launcher, maxBuffer: -1 }), { name: 'InvalidArgumentError' });
    });

    test('timeout kills and tells what was printed', async () => {
      const late = run(['sh', '-c', 'echo part; echo err >&2; sleep 60'], { ...captured, timeout: 0.2 });
      await assert.rejects(late, {
        name: 'TimeoutExpired',
        code: 'SIMUL_TIMEOUT',
        timeout: 0.2,
        stdout: 'part\n',
        stderr: 'err\n',
      });
    });

    test('abort kills, before and during', async () => {
      const control = new AbortController();
      const running = run(['sleep', '60'], { launcher, signal: control.signal });
      control.abort(new Error('enough'));
      await assert.rejects(running, { name: 'CancelledError' });
      await assert.rejects(run(['touch', join(directory, 'never')], { launcher, signal: control.signal }), {
        name: 'CancelledError',
      });
      assert.ok(!readdirSync(directory).includes('never'));
    });
  });
}

test('a relative name is looked up as execvp would: PATH of the environment given', async () => {
  const { stdout } = await sp.run(['sh', '-c', 'echo "$PATH"'], {
    captureOutput: true,
    text: true,
    env: { PATH: '/bin' },
  });
  assert.equal(stdout, '/bin\n');
});
