import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../../../tools/programs.ts';
import type { Sample } from '../../harness.ts';

const execute = promisify(execFile);
// Before the harness gives the run up, which leaves the program.
const limits = { timeout: 110_000, killSignal: 'SIGKILL' } as const;

/** Runs a workload of `workloads.ts` in a fresh process, which measures it and proves that it was done. */
export async function inChild(workload: string, ...args: readonly (string | number)[]): Promise<Sample> {
  const script = resolve(import.meta.dirname, 'workloads.js');
  return sample(await execute(process.execPath, [script, workload, ...args.map(String)], limits));
}

/** The same of `pools.py`. */
export async function inPython(workload: string, ...args: readonly number[]): Promise<Sample> {
  const script = resolve(import.meta.dirname, '../../../../bench/areas/pools/pools.py');
  return sample(await execute(program('python3'), ['-B', script, workload, ...args.map(String)], limits));
}

function sample({ stdout }: { stdout: string }): Sample {
  return JSON.parse(stdout) as Sample;
}
