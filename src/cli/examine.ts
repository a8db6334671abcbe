import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../base/error-text.ts';

export interface Finding {
  readonly tier: 'runtime' | 'inline' | 'thread' | 'process' | 'fleet' | 'system';
  readonly part: string;
  /** `missing` is an optional part that is not there; `broken` one that should be. */
  readonly state: 'ok' | 'missing' | 'broken';
  readonly detail: string;
}

type Probe = readonly [Finding['tier'], string, 'required' | 'optional', () => string | Promise<string>];

/** Tries each part for real, in a directory of its own that is removed again. */
export async function examine(): Promise<Finding[]> {
  const directory = await mkdtemp(join(tmpdir(), 'simul-doctor-'));
  try {
    const findings: Finding[] = [];
    for (const [tier, part, need, probe] of probes(directory)) {
      try {
        findings.push({ tier, part, state: 'ok', detail: await probe() });
      } catch (error) {
        findings.push({
          tier,
          part,
          state: need === 'required' ? 'broken' : 'missing',
          detail: messageOf(error).split('\n')[0]!,
        });
      }
    }
    return findings;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function probes(directory: string): Probe[] {
  return [
    ['runtime', 'node', 'required', node],
    ['runtime', 'cores', 'required', () => `${availableParallelism()}`],
    ['runtime', 'typescript modules', 'required', () => `transformed by esbuild ${packageVersion('esbuild')}`],
    ['system', 'libc', 'optional', libc],
    ['system', 'kernel locks', 'optional', () => kernelLocks(directory)],
    ['process', 'starting programs', 'required', startPrograms],
    ['process', 'fork', 'optional', forkForReal],
    ['fleet', 'memory://', 'required', () => roundTrip('memory://simul-doctor')],
    ['fleet', 'sqlite://', 'required', () => roundTrip(`sqlite://${join(directory, 'probe.db')}`)],
  ];
}

async function startPrograms(): Promise<string> {
  const [{ hasPosixSpawn }, { checkCall }] = await Promise.all([
    import('../os/spawn.ts'),
    import('../subprocess/run.ts'),
  ]);
  await checkCall([process.execPath, '--version'], { stdout: -3, timeout: 30 });
  if (hasPosixSpawn()) return 'by posix_spawn';
  return "by Node's spawn: slower; signals ignored here are not ignored in programs, and a process group is a session";
}

async function forkForReal(): Promise<string> {
  const [{ forkFlags, whyNoFork }, { run }] = await Promise.all([
    import('../os/fork.ts'),
    import('../subprocess/run.ts'),
  ]);
  const reason = whyNoFork();
  if (reason !== undefined && !reason.includes('simul run')) throw new Error(reason);
  const url = new URL('../os/fork.js', import.meta.url).href;
  const program = `import(${JSON.stringify(url)}).then(({ fork }) => process.exit(fork() === 0 ? 0 : 7))`;
  const { returncode } = await run([process.execPath, ...forkFlags, '-e', program], { timeout: 30, stderr: -3 });
  if (returncode !== 7) throw new Error(`a process started for it could not fork (exit code ${returncode})`);
  return 'in programs started by simul run';
}

function node(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(`${process.version}; 20.19 or newer is needed`);
  return `${process.version} on ${process.platform} ${process.arch}`;
}

function packageVersion(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}

async function libc(): Promise<string> {
  const { koffi, libc: lookUp } = await import('../os/libc.ts');
  const pid = lookUp('int getpid()')();
  if (pid !== process.pid) throw new Error(`getpid() is ${pid}, not ${process.pid}`);
  return `through koffi ${koffi().version}`;
}

async function kernelLocks(directory: string): Promise<string> {
  const { closeSync, openSync } = await import('node:fs');
  const { LOCK_EX, tryFlock } = await import('../os/flock.ts');
  const [one, two] = [openSync(join(directory, 'lock'), 'w'), openSync(join(directory, 'lock'), 'w')];
  try {
    if (!tryFlock(one, LOCK_EX) || tryFlock(two, LOCK_EX)) throw new Error('flock does not exclude others here');
    return 'flock';
  } finally {
    closeSync(one);
    closeSync(two);
  }
}

/** A task from its call to its result, through the URL. */
async function roundTrip(url: string): Promise<string> {
  const { Simul } = await import('../tasks/app.ts');
  const { Worker } = await import('../worker/worker.ts');
  const saved = { broker: process.env['SIMUL_BROKER_URL'], backend: process.env['SIMUL_RESULT_BACKEND'] };
  delete process.env['SIMUL_BROKER_URL'];
  delete process.env['SIMUL_RESULT_BACKEND'];
  const app = new Simul('doctor', { broker: url });
  if (saved.broker !== undefined) process.env['SIMUL_BROKER_URL'] = saved.broker;
  if (saved.backend !== undefined) process.env['SIMUL_RESULT_BACKEND'] = saved.backend;
  const add = app.task('doctor.add', (x: number, y: number) => x + y);
  const worker = new Worker(app, { logWrite: () => {} });
  try {
    await worker.start();
    const begun = performance.now();
    const sum = await (await add.delay(2, 3)).get({ timeout: 10 });
    if (sum !== 5) throw new Error(`2 + 3 came back as ${sum}`);
    return `call to result in ${(performance.now() - begun).toFixed(1)} ms`;
  } finally {
    await worker.stop();
    await app.close();
  }
}
