import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pipe, read, close, setInheritable } from '../../src/os/descriptor.ts';
import { fdopen } from '../../src/os/fdopen.ts';
import { SIG_DFL, SIG_IGN, signal } from '../../src/entry/signal.ts';
import { DEVNULL, PIPE, Pipeline, Popen, run, runPipeline, STDOUT } from '../../src/entry/subprocess.ts';
import { createSubprocessExec, createSubprocessShell } from '../../src/subprocess/asyncio.ts';
import { sized } from '../fixtures/program.ts';

let directory: string;
before(() => (directory = mkdtempSync(join(tmpdir(), 'simul-popen-'))));
after(() => rmSync(directory, { recursive: true }));

for (const launcher of ['auto', 'posix', 'node'] as const) {
  const skip = launcher !== 'node' && process.platform !== 'linux' && 'posix_spawn is used on Linux';
  describe(`by ${launcher}`, { skip }, () => {
    test('poll, wait, returncode, pid, args', async () => {
      const child = new Popen(['sh', '-c', 'read line; exit 3'], { launcher, stdin: PIPE });
      assert.deepEqual(child.args, ['sh', '-c', 'read line; exit 3']);
      assert.ok(readdirSync(`/proc/${child.pid}`).length > 0);
      assert.equal(child.poll(), undefined);
      await assert.rejects(child.wait({ timeout: 0.01 }), { name: 'TimeoutExpired', cmd: child.args });
      await assert.rejects(child.wait({ signal: AbortSignal.timeout(10) }), { name: 'CancelledError' });
      assert.equal(child.returncode, undefined);
      child.stdin!.end('\n');
      assert.equal(await child.wait(), 3);
      assert.deepEqual([child.returncode, child.poll(), await child.wait()], [3, 3, 3]);
    });

    test('talking with a program, and its signals', async () => {
      await using child = new Popen(['cat'], { launcher, stdin: PIPE, stdout: PIPE });
      child.stdin!.write('one\n');
      assert.equal(String((await once(child.stdout!, 'data'))[0]), 'one\n');
      child.sendSignal('SIGTERM');
      assert.equal(await child.wait(), -15);
      child.terminate(); // it has ended: nothing happens
      child.sendSignal('SIGKILL');
      assert.throws(() => child.sendSignal('SIGNOPE' as 'SIGTERM'), { name: 'InvalidArgumentError' });
      assert.equal(new Popen(['sleep', '60'], { launcher }).kill().pids.length, 1);
    });

    test('communicate can be given up and taken up again without losing anything', async () => {
      const child = new Popen(['sh', '-c', 'echo first; read x; echo got $x'], {
        launcher,
        stdin: PIPE,
        stdout: PIPE,
        text: true,
      });
      async function* later() {
        await once(release, 'abort');
        yield 'late\n';
      }
      const release = new AbortController().signal;
      const early = child.communicate({ input: later(), timeout: 0.3 });
      await assert.rejects(early, { name: 'TimeoutExpired', stdout: 'first\n' });
      release.dispatchEvent(new Event('abort'));
      await assert.rejects(child.communicate({ input: 'again' }), { name: 'InvalidStateError' });
      assert.deepEqual(await child.communicate(), ['first\ngot late\n', undefined]);
      await assert.rejects(new Popen(['true'], { launcher }).communicate({ input: 'x' }), { argument: 'input' });
    });

    test('descriptors and files as standard streams', async () => {
      const path = join(directory, `out-${launcher}`);
      const fd = openSync(path, 'w+');
      const both = new Popen(['sh', '-c', 'echo out; echo err >&2'], { launcher, stdout: fd, stderr: STDOUT });
      await both.wait();
      assert.equal(readFileSync(path, 'utf8'), 'out\nerr\n');
      const source = openSync(path, 'r');
      assert.equal((await run(['cat'], { launcher, stdin: source, stdout: PIPE, text: true })).stdout, 'out\nerr\n');
      assert.equal((await run(['cat'], { launcher, stdin: DEVNULL, stdout: PIPE })).stdout.length, 0);
      closeSync(fd);
      closeSync(source);
      // stderr to where our stdout goes: a number of ours, crossed over.
      const crossed = await run(['sh', '-c', 'echo to stderr >&2'], { launcher, stdout: 2, stderr: PIPE, text: true });
      assert.equal(crossed.stderr, 'to stderr\n');
    });

    test('leaving its scope kills it and closes the pipes', async () => {
      let pid: number;
      {
        await using child = new Popen(['cat'], { launcher, stdin: PIPE, stdout: PIPE });
        pid = child.pid;
      }
      assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
      {
        using child = new Popen(['sleep', '60'], { launcher });
        pid = child.pid;
      }
    });

    test('many are started and reaped, leaving neither descriptor nor zombie', async () => {
      await run(['true'], { launcher });
      const fds = readdirSync('/proc/self/fd').length;
      const total = launcher !== 'node' ? sized(10_000, 300) : sized(1000, 100);
      for (let started = 0; started < total; started += 50)
        await Promise.all(Array.from({ length: 50 }, () => run(['true'], { launcher, stdout: PIPE })));
      // Fewer where one of the test before was still to be closed.
      const left = readdirSync('/proc/self/fd').length;
      assert.ok(left <= fds, `${left} descriptors, ${fds} before`);
      const own = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim();
      for (const pid of own.split(' ').filter(Boolean))
        assert.doesNotMatch(readFileSync(`/proc/${pid}/stat`, 'latin1'), /\) Z /);
    });

    test('a slow reader holds the program back', async () => {
      await using child = new Popen(['sh', '-c', 'yes | head -c 50000000'], { launcher, stdout: PIPE });
      await once(child.stdout!, 'readable');
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(child.stdout!.readableLength < 1_000_000);
      assert.equal(child.poll(), undefined);
    });

    test('pipelines join programs without us, and know all their ends', async () => {
      const options = { launcher, captureOutput: true, text: true } as const;
      const top = await runPipeline(
        [
          ['seq', '100000'],
          ['sort', '-rn'],
          ['head', '-2'],
        ],
        options,
      );
      assert.equal(top.stdout, '100000\n99999\n');
      // Node can join programs by socket pairs only, and sort does not take a reader's leaving one quietly.
      if (launcher !== 'node') assert.deepEqual([top.stderr, top.returncode], ['', 0]);
      assert.equal(top.returncodes.length, 3);
      const upper = await runPipeline([['cat'], ['tr', 'a-z', 'A-Z']], { ...options, input: 'shout' });
      assert.equal(upper.stdout, 'SHOUT');
      const failed = await runPipeline([['sh', '-c', 'echo why >&2; exit 3'], ['cat']], options);
      assert.deepEqual([failed.returncode, failed.returncodes, failed.stderr], [3, [3, 0], 'why\n']);
      assert.equal((await runPipeline([['false'], ['cat']], { launcher, pipefail: false })).returncode, 0);
      await assert.rejects(runPipeline([['false'], ['true']], { launcher, check: true }), { returncode: 1 });
      await assert.rejects(runPipeline([['yes'], ['sleep', '60']], { ...options, timeout: 0.2 }), {
        name: 'TimeoutExpired',
      });
      await assert.rejects(runPipeline([['cat'], ['no-such-program']], { launcher, stdin: PIPE }), { code: 'ENOENT' });
      await assert.rejects(runPipeline([]), { name: 'InvalidArgumentError' });
      const own = new Pipeline([{ args: ['sh', '-c', 'echo $A'], env: { A: 'own' } }, ['cat']], {
        launcher,
        stdout: PIPE,
      });
      assert.equal(String((await own.communicate())[0]), 'own\n');
      assert.equal(await own.wait(), 0);
    });

    test('sessions and groups', async () => {
      const ids = async (options: object) => {
        const { stdout } = await run(['sh', '-c', 'cat /proc/$$/stat'], {
          launcher,
          stdout: PIPE,
          text: true,
          ...options,
        });
        const [pid, , , , group, session] = stdout.split(' ').map(Number);
        return { leader: pid === group, session: pid === session };
      };
      assert.deepEqual(await ids({}), { leader: false, session: false });
      assert.deepEqual(await ids({ startNewSession: true }), { leader: true, session: true });
      assert.equal((await ids({ processGroup: 0 })).leader, true);
    });

    test('asyncio faces: exec and shell', async () => {
      const child = await createSubprocessExec(['cat'], { launcher, stdin: PIPE, stdout: PIPE });
      assert.equal(String((await child.communicate({ input: 'x' }))[0]), 'x');
      assert.deepEqual([child.returncode, await child.wait()], [0, 0]);
      const shell = await createSubprocessShell('kill -TERM $$', { launcher });
      assert.equal(await shell.wait(), -15);
      const faces = {
        reader: (stream: object) => ({ dressed: stream }),
        writer: (stream: object) => ({ worn: stream }),
      };
      await using dressed = await createSubprocessExec(['cat'], { launcher, stdin: PIPE, stdout: PIPE }, faces);
      assert.ok('dressed' in dressed.stdout! && 'worn' in dressed.stdin!);
    });
  });
}

const linux = { skip: process.platform !== 'linux' && 'posix_spawn is used on Linux' };

test('SIGPIPE has its default in a program, unless told otherwise', linux, async () => {
  const script = 'seq 1 1000000 | head -1 > /dev/null; echo "${PIPESTATUS[0]}"';
  const status = async (restoreSignals: boolean) =>
    (await run(['bash', '-c', script], { stdout: PIPE, text: true, restoreSignals, stderr: DEVNULL })).stdout.trim();
  assert.equal(await status(true), '141');
  assert.equal(await status(false), '1');
});

test('ignored signals stay ignored in a program; handlers do not travel; nothing is blocked', linux, async () => {
  const masks = async (launcher: 'auto' | 'posix' | 'node') => {
    const { stdout } = await run(['grep', '-E', 'Sig(Ign|Blk)', '/proc/self/status'], {
      launcher,
      stdout: PIPE,
      text: true,
    });
    const [blocked, ignored] = stdout
      .trim()
      .split('\n')
      .map((line) => BigInt(`0x${line.split('\t')[1]}`) & 0x7fffffffn);
    return { blocked: blocked!, usr2: (ignored! >> 11n) & 1n, hup: ignored! & 1n };
  };
  signal('SIGUSR2', SIG_IGN);
  signal('SIGHUP', () => {});
  try {
    for (const launcher of ['auto', 'posix'] as const)
      assert.deepEqual(await masks(launcher), { blocked: 0n, usr2: 1n, hup: 0n });
    // Node's own spawn cannot: what `simul doctor` says of the fallback.
    assert.equal((await masks('node')).usr2, 0n);
  } finally {
    signal('SIGUSR2', SIG_DFL);
    signal('SIGHUP', SIG_DFL);
  }
});

test('no descriptor but the named ones reaches a program', linux, async () => {
  const [r, w] = pipe();
  setInheritable(r, true);
  setInheritable(w, true);
  const list = async (passFds: number[]) =>
    (await run(['sh', '-c', 'echo /proc/$$/fd/*'], { stdout: PIPE, text: true, passFds })).stdout
      .trim()
      .split(' ')
      .map((path) => Number(path.split('/').at(-1)))
      .filter((fd) => fd > 2 && fd < 200);
  assert.deepEqual(
    (await list([])).filter((fd) => fd === r || fd === w),
    [],
  );
  assert.deepEqual(
    (await list([w])).filter((fd) => fd === r || fd === w),
    [w],
  );
  const told = new Popen(['bash', '-c', `echo passed >&${w}`], { passFds: [w] });
  assert.equal(String(await read(r, 100, { timeout: 10 })), 'passed\n');
  await told.wait();
  await assert.rejects(run(['true'], { passFds: [990] }), { code: 'EBADF' });
  close(r);
  close(w);
});

test('a socket handed over as stdio is blocking for the program (inetd)', linux, async () => {
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    const child = new Popen(['sh', '-c', 'read line; echo "got $line"'], { stdin: socket, stdout: socket });
    socket.destroy();
    void child.wait();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  setTimeout(() => client.write('late\n'), 50); // the program is reading by then, and must wait
  assert.equal(String((await once(client, 'data'))[0]), 'got late\n');
  client.destroy();
  server.close();
});

test('a pipe of ours as stdio of two programs', linux, async () => {
  const [r, w] = pipe();
  const writer = new Popen(['echo', 'through'], { stdout: w });
  close(w);
  const reader = new Popen(['cat'], { stdin: r, stdout: PIPE });
  close(r);
  assert.equal(String((await reader.communicate())[0]), 'through\n');
  assert.equal(await writer.wait(), 0);
  const [r2, w2] = pipe();
  const producer = new Popen(['sh', '-c', 'echo a; echo b'], { stdout: w2 });
  close(w2);
  let text = '';
  for await (const chunk of fdopen(r2, 'r')) text += String(chunk);
  assert.equal(text, 'a\nb\n');
  await producer.wait();
});

test("an unref'ed program does not keep ours alive", linux, async () => {
  const url = new URL('../../src/entry/subprocess.js', import.meta.url).href;
  const script = `import { Popen } from ${JSON.stringify(url)}; console.log(new Popen(['sleep', '60'], { stdout: -3, stderr: -3 }).unref().pid)`;
  const { stdout } = await run([process.execPath, '--input-type=module', '-e', script], {
    stdout: PIPE,
    text: true,
    timeout: 30,
  });
  process.kill(Number(stdout), 'SIGKILL');
});

test('a worker thread starts programs too', async () => {
  const worker = new Worker(new URL('../fixtures/subprocess/worker.js', import.meta.url));
  assert.deepEqual((await once(worker, 'message'))[0], ['worker\n', '10\n', 'sync']);
  await once(worker, 'exit');
});

test('bytes of the environment that are no UTF-8 reach a program, within a tree too', linux, async () => {
  const inner = `
    const { run } = await import(${JSON.stringify(new URL('../../src/entry/subprocess.js', import.meta.url).href)});
    const script = 'printf %s "$ODD" | od -An -tx1; env | grep -c ^SIMUL_TREE=; echo "$SIMUL_TREE"';
    for (const value of [undefined, 'changed']) {
      if (value) process.env.SIMUL_TREE = value;
      await run(['sh', '-c', script]);
    }`;
  const outer = `ODD=$(printf 'a\\377\\376b') SIMUL_TREE=outer exec "$0" --input-type=module -e "$1"`;
  // More variables than one page of memory has pointers.
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`VARIABLE_${i}`, 'x']));
  for (const env of [process.env, { ...process.env, ...many }]) {
    const command = ['sh', '-c', outer, process.execPath, inner];
    const { stdout } = await run(command, { captureOutput: true, text: true, env });
    const [bytes, count, mark, ...changed] = stdout.split('\n');
    assert.deepEqual([bytes, count, changed[0], changed[1]], [' 61 ff fe 62', '1', ' 61 ff fe 62', '1']);
    assert.match(mark!, /^outer,[0-9a-f-]{36}$/);
    assert.match(changed[2]!, /^changed,[0-9a-f-]{36}$/);
  }
});

test('a program sees the changes of our environment, and only the ones of env if given', linux, async () => {
  const seen = async (options: object) =>
    (await run(['sh', '-c', 'echo "$SIMUL_A-$SIMUL_B"'], { stdout: PIPE, text: true, ...options })).stdout.trim();
  process.env['SIMUL_A'] = 'ä';
  // Many, so that the C library has to move its list.
  for (let i = 0; i < 500; i++) process.env[`SIMUL_FILLER_${i}`] = 'x';
  process.env['SIMUL_B'] = 'b';
  assert.equal(await seen({}), 'ä-b');
  for (let i = 0; i < 500; i++) delete process.env[`SIMUL_FILLER_${i}`];
  delete process.env['SIMUL_A'];
  assert.equal(await seen({}), '-b');
  assert.equal(await seen({ treeCookie: false }), '-b');
  assert.equal(await seen({ env: { SIMUL_A: 'only' } }), 'only-');
  process.env['SIMUL_TREE'] = 'outer';
  const { stdout } = await run(['sh', '-c', 'echo $SIMUL_TREE'], { stdout: PIPE, text: true });
  assert.match(stdout, /^outer,[0-9a-f-]{36}$/m);
  delete process.env['SIMUL_TREE'];
  delete process.env['SIMUL_B'];
});

test('output that could not be read to its end is not taken for all there was', async () => {
  await using child = new Popen(['cat'], { stdin: PIPE, stdout: PIPE });
  const done = child.communicate({ input: 'x' });
  child.stdout!.destroy(new Error('unreadable'));
  await assert.rejects(done, { message: 'unreadable' });
  await assert.rejects(child.communicate(), { message: 'unreadable' });
});
