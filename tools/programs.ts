import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UnsupportedError } from '../src/base/errors.ts';
import { flockSync, LOCK_EX } from '../src/os/flock.ts';

interface ProgramRecipe {
  /** Debian packages that bring it. */
  readonly apt: readonly string[];
  /** Image that has it, where nothing can be installed but a container engine answers. */
  readonly image: string;
}

const programs: Readonly<Record<string, ProgramRecipe>> = {
  curl: { apt: ['curl'], image: 'curlimages/curl:8.11.1' },
  openssl: { apt: ['openssl'], image: 'alpine/openssl:3.5.0' },
  python3: { apt: ['python3', 'python3-venv'], image: 'python:3.13' },
  'rabbitmq-server': { apt: ['rabbitmq-server'], image: 'rabbitmq:4' },
  'redis-server': { apt: ['redis-server'], image: 'redis:7' },
};

interface EnvironmentRecipe {
  readonly packages: readonly string[];
  /** What must be importable then. */
  readonly modules: string;
  /** For an index that lacks some of their dependencies: what it has, by name, and what Debian has of the rest. */
  readonly piecemeal?: { readonly pip: readonly string[]; readonly debian: readonly string[] };
}

const environments: Readonly<Record<string, EnvironmentRecipe>> = {
  celery: {
    packages: ['celery[redis]==5.6.3', 'kombu==5.6.2'],
    modules: 'celery, redis',
    piecemeal: {
      pip: `celery==5.6.3 kombu==5.6.2 amqp billiard==4.* vine redis click click-plugins prompt-toolkit python-dateutil
        tzdata six wcwidth tzlocal packaging typing-extensions`.split(/\s+/),
      // The last one is for Python before 3.11.3.
      debian: ['python3-click-didyoumean', 'python3-click-repl', 'python3-async-timeout'],
    },
  },
};

/** Packages for the system's own Python, and the modules by which one sees that they are there. */
const systemPackages = { apt: ['python3-celery', 'python3-redis'], modules: 'celery, redis' };

/**
 * The path of a program that tests need: from PATH, else installed (as root on Debian or Ubuntu), else a wrapper around
 * a container. Installs only what is asked for, one process at a time. Throws UnsupportedError that says what to do.
 */
export function program(name: string): string {
  const recipe = programs[name];
  if (recipe === undefined) throw new UnsupportedError(`no recipe for the program "${name}" in tools/programs.ts`);
  return (
    onPath(name) ??
    locked(() => onPath(name) ?? installed(name, recipe) ?? contained(name, recipe)) ??
    fail(name, `install it (Debian: apt-get install ${recipe.apt.join(' ')}) or start a container engine`)
  );
}

/**
 * The Python interpreter of a virtual environment that holds what is named (see `environments`), made at first use in
 * the user's cache folder.
 */
export function pythonWith(name: string): string {
  const recipe = environments[name];
  if (recipe === undefined) throw new UnsupportedError(`no recipe for the Python "${name}" in tools/programs.ts`);
  const base = program('python3');
  // The packages are part of the name: a changed recipe gets a new environment.
  const folder = join(cacheFolder(), `${name}-${recipe.packages.join('+').replaceAll(/[^\w.+-]/g, '')}`);
  const python = join(folder, 'bin/python');
  const done = join(folder, 'complete');
  return locked(() => {
    if (existsSync(done)) return python;
    rmSync(folder, { recursive: true, force: true });
    makeEnvironment(base, folder);
    installPackages(name, python, recipe);
    run(python, ['-c', `import ${recipe.modules}`], `use what was installed for ${name}`);
    writeFileSync(done, '');
    return python;
  });
}

/** Debian's own Python with Debian's Celery, years older than the pinned one; installed as root where it is not there. */
export function debianCelery(): string {
  const python = '/usr/bin/python3';
  const works = (): boolean =>
    spawnSync(python, ['-c', `import ${systemPackages.modules}`], { stdio: 'ignore' }).status === 0;
  if (!works()) locked(() => works() || aptInstall(systemPackages.apt));
  if (works()) return python;
  throw new UnsupportedError(`Debian's Celery is not on this machine: apt-get install ${systemPackages.apt.join(' ')}`);
}

// Debian's Python comes without what makes environments.
function makeEnvironment(base: string, folder: string): void {
  if (spawnSync(base, ['-m', 'venv', folder], { stdio: 'ignore' }).status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  aptInstall(programs['python3']!.apt);
  run(base, ['-m', 'venv', folder], 'make a virtual environment');
}

function installPackages(name: string, python: string, { packages, piecemeal }: EnvironmentRecipe): void {
  const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1'];
  try {
    run(python, [...pip, ...packages], `install ${packages.join(' ')} for Python`);
  } catch (error) {
    if (piecemeal === undefined || onPath('apt-get') === undefined) throw error;
    run(python, [...pip, '--no-deps', ...piecemeal.pip], `install the parts of ${name} for Python one by one`);
    addDebianModules(python, piecemeal.debian);
  }
}

// Unpacked and not installed: the environment stays the only place that knows of them, and no root is needed.
function addDebianModules(python: string, packages: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'debian-'));
  try {
    const download = ['download', '-qq', ...packages];
    // A fresh machine may have no lists of packages yet.
    if (spawnSync('apt-get', download, { cwd: folder, stdio: 'ignore' }).status !== 0) {
      spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
      run('apt-get', download, `download ${packages.join(' ')}`, folder);
    }
    for (const file of readdirSync(folder)) run('dpkg-deb', ['-x', file, '.'], `unpack ${file}`, folder);
    const site = execFileSync(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
    cpSync(join(folder, 'usr/lib/python3/dist-packages'), site.toString().trim(), { recursive: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a suite may need, by the names that `test/suites.json` uses. Throws if it cannot be had here. */
export function provide(need: string): void {
  if (need === 'python') program('python3');
  else if (need === 'curl' || need === 'openssl') program(need);
  else if (need === 'redis') program('redis-server');
  else if (need === 'rabbitmq') program('rabbitmq-server');
  else if (need === 'celery') pythonWith('celery');
  else if (need === 'celery-debian') debianCelery();
  else if (need === 'linux') requireLinux();
  else throw new UnsupportedError(`nothing in tools/programs.ts provides "${need}"`);
}

function requireLinux(): void {
  if (process.platform !== 'linux') throw new UnsupportedError('this needs Linux');
}

/** Where a program is on PATH. */
export function onPath(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed(name: string, { apt }: ProgramRecipe): string | undefined {
  aptInstall(apt);
  return onPath(name);
}

function aptInstall(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined) return;
  withoutServices(() => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', TMPDIR: '/tmp' };
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio: 'ignore' });
  });
}

const policy = '/usr/sbin/policy-rc.d';

// A Debian package starts its service when installed; this file, if it exits with 101, forbids it (invoke-rc.d(8)).
function withoutServices(body: () => void): void {
  if (existsSync(policy)) {
    body();
    return;
  }
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    body();
  } finally {
    rmSync(policy, { force: true });
  }
}

// Host network and the caller's temporary folder, so that a port and a path mean the same inside and outside.
function contained(name: string, { image }: ProgramRecipe): string | undefined {
  if (onPath('docker') === undefined || spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0) {
    return undefined;
  }
  if (spawnSync('docker', ['pull', '--quiet', image], { stdio: 'ignore' }).status !== 0) return undefined;
  const wrapper = join(cacheFolder(), `${name}-container`);
  const command = `exec docker run --rm --init --network host --volume "$TMPDIR:$TMPDIR" ${image} ${name} "$@"`;
  writeFileSync(wrapper, `#!/bin/sh\n: "\${TMPDIR:=/tmp}"\n${command}\n`, { mode: 0o755 });
  return wrapper;
}

function cacheFolder(): string {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'simul-tests');
  mkdirSync(folder, { recursive: true });
  return folder;
}

// Test files run side by side and may ask for the same program.
function locked<T>(body: () => T): T {
  const fd = openSync(join(cacheFolder(), 'lock'), 'a');
  try {
    flockSync(fd, LOCK_EX);
    return body();
  } finally {
    closeSync(fd);
  }
}

function run(command: string, args: readonly string[], purpose: string, cwd?: string): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd });
  } catch (cause) {
    throw new UnsupportedError(`could not ${purpose}`, { cause });
  }
}

function fail(name: string, advice: string): never {
  throw new UnsupportedError(`the program "${name}" is not on this machine: ${advice}`);
}
