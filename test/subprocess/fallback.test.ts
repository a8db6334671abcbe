import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SIG_IGN, signal } from '../../src/entry/signal.ts';
import { run } from '../../src/entry/subprocess.ts';
import { program } from '../fixtures/program.ts';

const without = new URL('../fixtures/subprocess/without-ffi.js', import.meta.url).href;
const skip = process.platform !== 'linux' && 'posix_spawn is used on Linux';

test('without the FFI library programs are started by Node’s own spawn, through the same API', async () => {
  const { stdout, stderr, code } = await program('subprocess/fallback', [], {
    env: { NODE_OPTIONS: `--import ${without}` },
  });
  assert.equal(code, 0, stderr);
  const outcomes = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [string, unknown]),
  );
  assert.deepEqual(outcomes, {
    launcher: [false, true],
    run: [3, 'in', 'err\n'],
    runSync: 4,
    pipeline: '1000\n',
    missing: 'ENOENT',
    posix: 'posix_spawn needs Linux with glibc and the package "koffi"',
    tree: -9,
    timeout: 'TimeoutExpired',
  });
});

test('the doctor says what is missing then, and that it is no fault', async () => {
  const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', without, cli, 'doctor', '--json']);
  const { ok, findings } = JSON.parse(stdout) as {
    ok: boolean;
    findings: { part: string; state: string; detail: string }[];
  };
  assert.equal(ok, true);
  const spawning = findings.find(({ part }) => part === 'starting programs')!;
  assert.equal(spawning.state, 'missing');
  assert.match(spawning.detail, /Node's own spawn.*signals ignored here are not ignored in the program/);
  assert.equal(findings.find(({ part }) => part === 'libc')!.state, 'missing');
});

test(
  'a signal ignored here is ignored in a program of posix_spawn, not in one of Node’s own spawn',
  { skip },
  async () => {
    const before = signal('SIGUSR2', SIG_IGN);
    try {
      const ignored = async (launcher: 'posix' | 'node'): Promise<boolean> => {
        const { stdout } = await run(['grep', 'SigIgn', '/proc/self/status'], {
          launcher,
          captureOutput: true,
          text: true,
        });
        return (BigInt(`0x${stdout.split('\t')[1]!.trim()}`) & (1n << 11n)) !== 0n;
      };
      assert.deepEqual([await ignored('posix'), await ignored('node')], [true, false]);
    } finally {
      signal('SIGUSR2', before);
    }
  },
);
