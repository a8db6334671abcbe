import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { SuiteEvent } from './events.ts';
import { eventFileVariable } from './events.ts';
import { cookieVariable, killProcesses, listeningSockets, outliving } from './processes.ts';

export interface RunFileOptions {
  readonly node: string;
  /** Working folder of the test process. */
  readonly cwd: string;
  /** Seconds until the process is killed. */
  readonly deadline: number;
  /** Seconds a process may live on after its last test. */
  readonly linger: number;
  readonly signal: AbortSignal;
}

export interface FileResult {
  readonly passed: number;
  /** Failed tests and `faults` together. */
  readonly failed: number;
  readonly skips: readonly string[];
  readonly seconds: number;
  /** What went wrong around the tests: leaks, deadlines, warnings. */
  readonly faults: readonly string[];
  readonly output: string;
}

/** Runs one test file in a process and a temporary folder of its own, and looks at what it leaves behind. */
export async function runFile(file: string, options: RunFileOptions): Promise<FileResult> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'simul-test-'));
  const cookie = randomUUID();
  try {
    const run = await execute(file, folder, cookie, options);
    const faults = [...run.faults, ...(await leaks(cookie, run.pid)), ...remains(folder)];
    const events = readEvents(folder);
    const failed = count(events, 'fail');
    faults.push(...verdict(events, run, failed + faults.length), ...warnings(run.output));
    return {
      passed: count(events, 'pass'),
      failed: failed + faults.length,
      skips: events.flatMap((event) =>
        event.type === 'skip' ? [event.name, event.reason].filter(Boolean).join(': ') : [],
      ),
      seconds: (performance.now() - started) / 1000,
      faults,
      output: run.output,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Execution {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly faults: string[];
}

async function execute(file: string, folder: string, cookie: string, options: RunFileOptions): Promise<Execution> {
  mkdirSync(join(folder, 't'));
  // A session of its own: what it starts can be found by it, and a Ctrl-C reaches only us, who then end everything.
  const child = spawn(options.node, commandLine(file, folder), {
    cwd: options.cwd,
    env: environment(folder, cookie, options.node),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid ?? -1;
  const output = collect(child.stdout, child.stderr);
  const guard = watch(folder, cookie, pid, options);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) => {
    child.once('error', (error) => {
      guard.faults.push(`could not start: ${error.message}`);
      done([null, null]);
    });
    child.once('exit', (...end) => done(end));
  });
  guard.stop();
  // A leaked process may hold the pipes open for ever: what came until now is what there is to show.
  child.stdout.destroy();
  child.stderr.destroy();
  return { pid, code, signal, output: output(), faults: guard.faults };
}

function commandLine(file: string, folder: string): string[] {
  const reporter = new URL('./events.js', import.meta.url).href;
  return [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${join(folder, 'events')}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    file,
  ];
}

function environment(folder: string, cookie: string, node: string): NodeJS.ProcessEnv {
  const temporary = join(folder, 't');
  const { [cookieVariable]: outer, PATH = '', NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...rest } = process.env;
  return {
    ...rest,
    PATH: node === process.execPath ? PATH : `${dirname(resolve(node))}${delimiter}${PATH}`,
    TMPDIR: temporary,
    TEMP: temporary,
    TMP: temporary,
    NO_COLOR: '1',
    [cookieVariable]: outer === undefined ? cookie : `${outer},${cookie}`,
    // Not the reporter's file: that one is written at an offset, over whatever somebody else appends.
    [eventFileVariable]: join(folder, 'asides'),
  };
}

const outputLimit = 2 ** 20;

function collect(...streams: NodeJS.ReadableStream[]): () => string {
  let output = '';
  for (const stream of streams) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      if (output.length < outputLimit) output += chunk;
    });
  }
  return () => (output.length < outputLimit ? output : `${output}\n… (more was printed)`);
}

/** Kills the file's processes at the deadline, when it lingers after its last test, or when the run is interrupted. */
function watch(folder: string, cookie: string, pid: number, options: RunFileOptions) {
  const faults: string[] = [];
  const end = (fault: string): void => {
    stop();
    faults.push(fault);
    void killProcesses(cookie, pid);
  };
  const deadline = setTimeout(() => end(hung(readEvents(folder), options.deadline)), options.deadline * 1000);
  let quiet = { events: 0, since: performance.now() };
  const lingering = setInterval(() => {
    const events = readEvents(folder);
    if (events.length !== quiet.events) quiet = { events: events.length, since: performance.now() };
    else if (isFinished(events) && performance.now() - quiet.since > options.linger * 1000) end(leakedHandle(events));
  }, 500);
  const interrupted = (): void => end('interrupted');
  options.signal.addEventListener('abort', interrupted, { once: true });
  const stop = (): void => {
    clearTimeout(deadline);
    clearInterval(lingering);
    options.signal.removeEventListener('abort', interrupted);
  };
  return { faults, stop };
}

// More may be queued later: only a long silence makes this final.
function isFinished(events: readonly SuiteEvent[]): boolean {
  return events.length > 0 && count(events, 'queued') === count(events, 'closed');
}

function hung(events: readonly SuiteEvent[], seconds: number): string {
  if (isFinished(events)) return leakedHandle(events);
  const closed = names(events, 'closed');
  const open = names(events, 'open').filter((name) => !closed.includes(name));
  return `killed after ${seconds} s; not finished: ${open.join(', ') || '(it reported nothing)'}`;
}

function leakedHandle(events: readonly SuiteEvent[]): string {
  const resources = events.flatMap((event) => (event.type === 'lingering' ? event.resources : []));
  return `did not end after its last test, so it leaked a handle: ${[...new Set(resources)].join(', ') || '(unknown)'}`;
}

function names(events: readonly SuiteEvent[], type: SuiteEvent['type']): string[] {
  return events.flatMap((event) => (event.type === type && 'name' in event ? [event.name] : []));
}

function count(events: readonly SuiteEvent[], type: SuiteEvent['type']): number {
  return events.filter((event) => event.type === type).length;
}

async function leaks(cookie: string, pid: number): Promise<string[]> {
  const left = await outliving(cookie, pid, 1);
  const lines = left.map((entry) => {
    const sockets = listeningSockets(entry.pid);
    const listens = sockets.length === 0 ? '' : `, listening on ${sockets.join(', ')}`;
    return `left a process: ${entry.pid} ${entry.command}${listens}`;
  });
  const immortal = left.length === 0 ? [] : await killProcesses(cookie, pid);
  return [...lines, ...immortal.map((entry) => `could not kill process ${entry.pid}`)];
}

function remains(folder: string): string[] {
  try {
    return readdirSync(join(folder, 't')).map((name) => `left a temporary file: ${name}`);
  } catch {
    return ['removed the temporary folder it was given'];
  }
}

function readEvents(folder: string): SuiteEvent[] {
  return [...readLines(join(folder, 'events')), ...readLines(join(folder, 'asides'))];
}

function readLines(file: string): SuiteEvent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  // The last line may not be there in full yet.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line) => (line === '' ? [] : (JSON.parse(line) as SuiteEvent)));
}

/** Faults of the run itself; silent about an exit code that a failure already explains. */
function verdict(events: readonly SuiteEvent[], run: Execution, known: number): string[] {
  if (known > 0) return [];
  if (run.signal !== null) return [`was ended by ${run.signal}`];
  if (run.code !== 0) return [`exited with code ${run.code}`];
  if (count(events, 'end') === 0) return ['has no test, or ended before its tests did (process.exit?)'];
  return count(events, 'pass') + count(events, 'skip') > 0 ? [] : ['has no test'];
}

// Node announces its own experiments; everything else (leaking listeners, deprecated calls) is a defect.
function warnings(output: string): string[] {
  const lines = output.matchAll(/^\(node:\d+\) (?:\[\w+\] )?(\w*Warning): .*$/gm);
  return [...lines].flatMap(([line, kind]) => (kind === 'ExperimentalWarning' ? [] : `warned: ${line}`));
}
