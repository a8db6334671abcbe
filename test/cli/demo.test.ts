import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Chess } from 'chess.js';
import { ProgressBar } from '../../src/cli/demo/progress.ts';
import { modeNames } from '../../src/exhibition/modes.ts';

const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'simul-demo-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function demo(...args: string[]) {
  return spawnSync(process.execPath, [program, 'demo', ...args], { encoding: 'utf8', cwd: directory, timeout: 60_000 });
}

interface DemoJson {
  modes: { name: string; simulatedSeconds: number; realSeconds: number }[];
  games: number;
  pgn: string;
}

const small = [
  '--boards',
  '7',
  '--moves',
  '5',
  '--master',
  '3.5',
  '--opponent',
  '11',
  '--workers',
  '3',
  '--nodes',
  '300',
];

test('--json prints one object with every mode, and the PGN holds legal games of the length asked for', () => {
  const { status, stdout, stderr } = demo(...small, '--json', '--pgn', 'odd.pgn');
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  const { modes, games, pgn, ...rest } = JSON.parse(stdout) as DemoJson;
  assert.deepEqual(rest, {});
  assert.equal(games, 7);
  assert.deepEqual(
    modes.map(({ name }) => name),
    modeNames,
  );
  assert.equal(pgn, join(directory, 'odd.pgn'));
  for (const { name, simulatedSeconds, realSeconds } of modes) {
    assert.equal(simulatedSeconds, expectedSeconds(name), name);
    assert.ok(realSeconds > 0);
  }
  const texts = gamesOf(pgn);
  assert.equal(texts.length, 7);
  assert.ok(new Set(texts.map(movesOf)).size > 1, 'the guests differ');
  for (const text of texts) assert.equal(movesOf(text).split(' ').length, 10);
});

// One master and 7 boards at 3.5 s against 11 s: the master is never idle. Three masters: 3 boards a round are served at
// once, the third group starts 7 s after the first, and a board's own cycle of 14.5 s is longer than that.
function expectedSeconds(mode: string): number {
  if (mode === 'sequential') return 7 * 5 * 14.5;
  if (mode === 'asyncio') return 7 * 5 * 3.5 + 11;
  return 2 * 3.5 + 5 * 14.5;
}

function gamesOf(pgn: string): string[] {
  return readFileSync(pgn, 'utf8').split(/\n\n(?=\[Event )/);
}

function movesOf(text: string): string {
  const chess = new Chess();
  chess.loadPgn(text);
  return chess.history().join(' ');
}

test('the table shows each mode with its simulated time and speed-up', () => {
  const { status, stdout, stderr } = demo(...small, '--modes', 'asyncio,sequential', '--pgn', 'table.pgn');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /sequential +1 +0:08:27 +507\.5 s +1\.0 x +\d+\.\d\d s/);
  assert.match(stdout, /asyncio +1 +0:02:13 +133\.5 s +3\.8 x +\d+\.\d\d s/);
  assert.match(stdout, /7 games, the same in every mode: .*table\.pgn/);
  assert.equal(stderr, '');
});

test('the same seed gives the same games, another seed others', () => {
  const play = (seed: string) => {
    const { status, stderr } = demo(...small, '--modes', 'asyncio', '--seed', seed, '--pgn', 'seed.pgn');
    assert.equal(status, 0, stderr);
    return gamesOf(join(directory, 'seed.pgn')).map(movesOf);
  };
  const first = play('5');
  assert.deepEqual(play('5'), first);
  assert.notDeepEqual(play('6'), first);
});

const usage = 'Usage: simul demo [options]\nSee simul demo --help.\n';
for (const [args, line] of [
  [['--boards', '0'], '--boards: expected a whole number from 1 to 1000, received "0"'],
  [['--moves', '2.5'], '--moves: expected a whole number from 1 to 500, received "2.5"'],
  [['--master', '-1'], '--master: expected a number of seconds from 0 to 1000000, received "-1"'],
  [['--opponent', 'long'], '--opponent: expected a number of seconds from 0 to 1000000, received "long"'],
  [['--workers', '65'], '--workers: expected a whole number from 1 to 64, received "65"'],
  [['--nodes', ''], '--nodes: expected a whole number from 1 to 10000000, received ""'],
  [['--seed', '0x1'], '--seed: expected a whole number from 0 to 4294967295, received "0x1"'],
  [
    ['--modes', 'asyncio,asyncio'],
    `--modes: expected a list of some of ${modeNames.join(',')}, each once, received "asyncio,asyncio"`,
  ],
  [
    ['--modes', 'telepathy'],
    `--modes: expected a list of some of ${modeNames.join(',')}, each once, received "telepathy"`,
  ],
  [['--pgn', ''], '--pgn: expected the path of a file, received ""'],
] as const) {
  test(`wrong use is one line, the usage, and exit 2: ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = demo(...args);
    assert.deepEqual({ status, stdout, stderr }, { status: 2, stdout: '', stderr: `simul demo: ${line}\n${usage}` });
  });
}

test('.simul is made as the embedded broker makes it: for its owner alone, and nothing for git', () => {
  const cwd = mkdtempSync(join(directory, 'fresh-'));
  const { status, stderr } = demo(...small, '--modes', 'asyncio', '--pgn', join(cwd, '.simul/demo.pgn'));
  assert.equal(status, 0, stderr);
  assert.equal(statSync(join(cwd, '.simul')).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(cwd, '.simul/.gitignore'), 'utf8'), '*\n');
});

test('a PGN path that cannot be written is said before anything is played', () => {
  const { status, stdout, stderr } = demo('--pgn', directory);
  assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  assert.match(stderr, /^simul demo: EISDIR: .*\n$/);
});

for (const mode of modeNames) {
  test(`SIGINT ends it with exit code 130 and leaves nothing: ${mode}`, async () => {
    const pgn = join(directory, `${mode}.pgn`);
    const args = [program, 'demo', '--boards', '500', '--moves', '500', '--modes', mode, '--pgn', pgn];
    using watcher = opened(pgn);
    const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const output = Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    await watcher.seen;
    process.kill(-child.pid!, 'SIGINT'); // as a terminal sends it: to the whole group
    assert.deepEqual(await ended, [130, null]);
    const [stdout, stderr] = (await output).map((chunks) => Buffer.concat(chunks as Buffer[]).toString());
    assert.deepEqual([stdout, stderr], ['', 'simul demo: interrupted\n']);
    // The child led its own process group: nobody is left in it.
    assert.throws(() => process.kill(-child.pid!, 0), { code: 'ESRCH' });
  });
}

function opened(path: string): Disposable & { seen: Promise<void> } {
  let close = () => {};
  const seen = new Promise<void>((resolve) => {
    const watcher = watch(directory, () => existsSync(path) && resolve());
    close = () => watcher.close();
  });
  return { seen, [Symbol.dispose]: close };
}

test('the bar is drawn on a terminal and wiped off; elsewhere there is none', () => {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  for (const isTTY of [false, true]) {
    using bar = new ProgressBar(10, { isTTY, write });
    bar.show('asyncio', 5);
    bar.show('asyncio', 10);
    if (!isTTY) assert.deepEqual(written, []);
  }
  assert.match(written[0]!, /asyncio +█{20}░{20} 5\/10 moves/);
  assert.match(written[1]!, /█{40} 10\/10 moves/);
  assert.equal(written.at(-1), '\r\x1b[K');
});
