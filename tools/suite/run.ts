import { readdirSync } from 'node:fs';
import { provide } from '../programs.ts';
import type { Plan, PlannedFile } from './plan.ts';
import type { NamedResult, SuiteReport } from './report.ts';
import type { FileResult } from './run-file.ts';
import { runFile } from './run-file.ts';
import { leftSegments, sharedSegments } from './segments.ts';

export interface RunOptions {
  readonly node: string;
  readonly nodeVersion: string;
  readonly cwd: string;
  readonly deadline: number;
  readonly linger: number;
  /** Where named shared segments appear. */
  readonly shared: string;
  /** Files at a time. */
  readonly jobs: number;
  /** Run the suites that are marked long. */
  readonly long: boolean;
  readonly signal: AbortSignal;
  readonly onStart: (name: string) => void;
  readonly onEnd: (result: NamedResult) => void;
}

/** Runs what is planned: side by side first, then the suites that want to be alone. */
export async function runSuites(plan: Plan, options: RunOptions): Promise<SuiteReport> {
  const before = new Set(readdirSync(options.cwd));
  const segmentsBefore = sharedSegments(options.shared);
  const faults = plan.missing.map((suite) => `the required suite ${suite} has no test file`);
  const notRun = new Set<string>();
  const able = plan.files.filter((file) => isAble(file, options.long, faults, notRun));
  const results: NamedResult[] = [];
  await inLanes(
    able.filter(({ rule }) => !rule.alone),
    options.jobs,
    results,
    options,
  );
  await inLanes(
    able.filter(({ rule }) => rule.alone),
    1,
    results,
    options,
  );
  if (options.signal.aborted) faults.push('interrupted');
  for (const name of readdirSync(options.cwd)) if (!before.has(name)) faults.push(`left ${name} in the repository`);
  faults.push(...leftSegments(options.shared, segmentsBefore, results));
  if (results.every(({ passed, failed }) => passed + failed === 0)) faults.push('no test was executed');
  return { node: options.nodeVersion, results, faults, notRun: [...notRun] };
}

const known = new Map<string, string | undefined>();

function isAble({ suite, rule }: PlannedFile, long: boolean, faults: string[], notRun: Set<string>): boolean {
  if (rule.long && !long) {
    notRun.add(`${suite} (long: runs on one Node version; --long runs it here)`);
    return false;
  }
  const reason = (rule.needs ?? []).map(whyNot).find((why) => why !== undefined);
  if (reason === undefined) return true;
  const line = `${suite} (${reason})`;
  if (rule.kind === 'capability') notRun.add(line);
  else if (!faults.includes(`required suite could not run: ${line}`))
    faults.push(`required suite could not run: ${line}`);
  return false;
}

function whyNot(need: string): string | undefined {
  if (!known.has(need)) known.set(need, attempt(need));
  return known.get(need);
}

function attempt(need: string): string | undefined {
  try {
    provide(need);
    return undefined;
  } catch (error) {
    return `needs ${need}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function inLanes(
  files: readonly PlannedFile[],
  lanes: number,
  results: NamedResult[],
  options: RunOptions,
): Promise<void> {
  const queue = [...files];
  const lane = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !options.signal.aborted; file = queue.shift()) {
      results.push(await runOne(file, options));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function runOne({ name, path, rule }: PlannedFile, options: RunOptions): Promise<NamedResult> {
  options.onStart(name);
  const deadline = Math.max(options.deadline, rule.deadline ?? 0);
  const started = Date.now();
  // One file must not end the run, whatever happens around it: the other files' processes would go on by themselves.
  const outcome = await runFile(path, { ...options, deadline }).catch(unrunnable);
  const result = { name, started, ...outcome };
  options.onEnd(result);
  return result;
}

function unrunnable(error: unknown): FileResult {
  const fault = `could not be run: ${error instanceof Error ? error.message : String(error)}`;
  return { passed: 0, failed: 1, skips: [], seconds: 0, faults: [fault], output: '' };
}
