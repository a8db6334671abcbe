// The test command: see `--help` below, and CONTRIBUTING.md for what a test file owes to the others.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Progress } from './suite/progress.ts';
import { planSuites, readRules } from './suite/plan.ts';
import { closing, fileLine, totals, writeReport } from './suite/report.ts';
import { runSuites } from './suite/run.ts';
import { repository } from './tree.ts';

const help = `Usage: npm test -- [FILTER…] [options]

Runs every test file in a process of its own, and fails it for what it leaves behind: processes, temporary files,
shared segments, open handles, warnings. A FILTER is a part of a file's name, such as "base" or "tasks/retry".

  --node PATH       run the tests with this Node; leaves out the suites that are marked long
  --long            run the long suites all the same
  --jobs N          files at a time (default: 2)
  --deadline S      seconds until a file is killed (default: 180)
  --linger S        seconds a file may live on after its last test (default: 15)
  --json FILE       write the results as JSON
  --root FOLDER     where the compiled test files are (default: dist/test)
  --shared FOLDER   where named shared segments appear (default: /dev/shm)
  --help            print this

Exit codes: 0 all passed, 1 something failed or nothing ran, 2 wrong use.`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readArguments();
  if (typeof options === 'number') return options;
  const { values, positionals } = options;
  const node = values.node === undefined ? process.execPath : resolve(values.node);
  const nodeVersion = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const root = resolve(values.root ?? resolve(repository, 'dist/test'));
  const rules = values.root === undefined ? readRules(repository) : {};
  console.log(`Node ${nodeVersion}${values.node === undefined ? '' : ` (${node})`}`);
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => abort.abort());
  const sources = values.root === undefined ? resolve(repository, 'test') : undefined;
  const plan = planSuites(root, rules, positionals, sources);
  const progress = new Progress(plan.files.length);
  const report = await runSuites(plan, {
    node,
    nodeVersion,
    cwd: repository,
    deadline: positive(values.deadline, 180),
    linger: positive(values.linger, 15),
    shared: values.shared ?? '/dev/shm',
    jobs: positive(values.jobs, Math.min(2, availableParallelism())),
    long: values.long ?? values.node === undefined,
    signal: abort.signal,
    onStart: (name) => progress.start(name),
    onEnd: (result) => progress.end(result.name, fileLine(result)),
  });
  progress.clear();
  console.log(closing(report));
  if (values.json !== undefined) writeReport(values.json, report);
  return totals(report).failed > 0 ? 1 : 0;
}

function readArguments() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        node: { type: 'string' },
        long: { type: 'boolean' },
        jobs: { type: 'string' },
        deadline: { type: 'string' },
        linger: { type: 'string' },
        json: { type: 'string' },
        root: { type: 'string' },
        shared: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (!parsed.values.help) return parsed;
    console.log(help);
    return 0;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
}

function positive(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0)) throw new RangeError(`expected a positive number, received "${text}"`);
  return value;
}
