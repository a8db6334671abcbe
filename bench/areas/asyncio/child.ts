import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../../../tools/programs.ts';
import type { Sample } from '../../harness.ts';
import { proveCount } from '../../proof.ts';

export type Workload =
  | 'gather'
  | 'gather-sleep'
  | 'lock'
  | 'lock-contended'
  | 'semaphore'
  | 'semaphore-in-task'
  | 'queue';

/** What a child prints. */
export interface Report {
  readonly perSecond: number;
  /** Operations that were really done in the measured round. */
  readonly done: number;
}

const execute = promisify(execFile);

/** Runs a workload in a fresh process; its start is not measured. */
export async function inChild(workload: Workload, contender: string, n: number): Promise<Sample> {
  const script = resolve(import.meta.dirname, 'workloads.js');
  return sample(await execute(process.execPath, [script, workload, contender, String(n)]), n);
}

export async function inPython(body: string, n: number): Promise<Sample> {
  const script = resolve(import.meta.dirname, '../../../../bench/areas/asyncio/gather.py');
  return sample(await execute(program('python3'), ['-B', script, body, String(n)]), n);
}

function sample({ stdout }: { stdout: string }, n: number): Sample {
  const { perSecond, done } = JSON.parse(stdout) as Report;
  proveCount('operations', n, done);
  return { value: perSecond, operations: n };
}
