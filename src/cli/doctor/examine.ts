import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../base/error-text.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Finding, Probe } from './finding.ts';
import { fleetProbes } from './fleet.ts';
import { machineProbes } from './machine.ts';
import { systemProbes } from './system.ts';

/** Tries each part for real, in a directory of its own that is removed again. `broker` is a URL to be tried as well. */
export async function examine(broker: string | undefined): Promise<Finding[]> {
  const directory = await mkdtemp(join(tmpdir(), 'simul-doctor-'));
  try {
    const findings: Finding[] = [];
    // One at a time: they would spoil each other's times.
    for (const probe of [...machineProbes(), ...systemProbes(directory), ...fleetProbes(directory, broker)]) {
      findings.push(await find(probe));
    }
    return findings;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function find({ tier, part, optional = false, run }: Probe): Promise<Finding> {
  try {
    return { tier, part, state: 'ok', detail: await run() };
  } catch (error) {
    // A broker's URL that cannot be one is the caller's mistake, not the machine's.
    if (error instanceof InvalidArgumentError) throw error;
    return { tier, part, state: optional ? 'missing' : 'broken', detail: messageOf(error).split('\n')[0]! };
  }
}
