// The guards of the tree: one line each, details of those that failed, the counts as the last line.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { docExampleFaults } from './doc-examples.ts';
import { commandFaults } from './guard/command-line.ts';
import { faultsOf } from './guard/command.ts';
import { errorListFaults } from './guard/error-list.ts';
import { exampleFaults } from './guard/examples.ts';
import type { Guard } from './guard/guard.ts';
import { packFaults } from './guard/pack.ts';
import { exportFaults, undocumented } from './guard/surface.ts';
import {
  leftovers,
  machinePaths,
  namelessRooms,
  oversized,
  registryHosts,
  trackedFiles,
  untyped,
} from './guard/text.ts';
import type { LayerRules } from './layers.ts';
import { layerFaults } from './layers.ts';
import { repository } from './tree.ts';

const bin = (name: string): string => resolve(repository, 'node_modules/.bin', name);
const tool = (name: string, ...args: string[]) => faultsOf(bin(name), args, repository);
const files = trackedFiles(repository);

const guards: readonly Guard[] = [
  { name: 'types', faults: () => tool('tsc', '-p', '.', '--noEmit') },
  { name: 'format', faults: () => tool('oxfmt', '--check', '.') },
  { name: 'lint', faults: () => tool('oxlint', '--type-aware', '--deny-warnings') },
  { name: 'layers and cycles', faults: () => layerFaults(repository, readLayers()) },
  { name: 'file sizes', faults: () => oversized(files) },
  { name: 'rooms have a noun', faults: () => namelessRooms(files) },
  { name: 'no leftovers', faults: () => leftovers(files) },
  { name: 'no paths of a machine', faults: () => machinePaths(files) },
  { name: 'no registry hosts', faults: () => registryHosts(files) },
  { name: 'no any', faults: () => untyped(files) },
  { name: 'exports and entries agree', faults: () => exportFaults(repository) },
  { name: 'public names are documented', faults: () => undocumented(repository) },
  { name: 'errors are documented', faults: () => errorListFaults(repository) },
  { name: 'examples of the pages run', faults: () => docExampleFaults(repository) },
  { name: 'programs of examples/ run', faults: () => exampleFaults(repository) },
  { name: 'npx simul runs in the checkout', faults: () => commandFaults(repository) },
  { name: 'the packed package works', faults: () => packFaults(repository) },
];

process.exitCode = await main();

async function main(): Promise<number> {
  let failed = 0;
  for (const guard of guards) {
    const started = performance.now();
    const faults = await attempt(guard);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${guard.name.padEnd(32)} ${faults.length === 0 ? 'ok' : 'FAILED'}${seconds.padStart(8)} s`);
    for (const fault of faults) console.log(`    ${fault}`);
    if (faults.length > 0) failed++;
  }
  console.log(`${guards.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

async function attempt(guard: Guard): Promise<readonly string[]> {
  try {
    return await guard.faults();
  } catch (error) {
    return [`the guard itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

function readLayers(): LayerRules {
  return JSON.parse(readFileSync(resolve(repository, 'layers.json'), 'utf8')) as LayerRules;
}
