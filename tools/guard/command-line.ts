import { resolve } from 'node:path';
import { command } from './command.ts';

/** Nothing if the command that npm links for the package in this folder runs and shows its usage. */
export async function commandFaults(project: string): Promise<string[]> {
  const { ok, output } = await command(resolve(project, 'node_modules/.bin/simul'), ['--help'], {
    cwd: project,
    timeout: 30,
  });
  if (!ok) return [`simul --help: ${output}`];
  return /Usage: simul/.test(output) ? [] : [`simul --help does not show its usage: ${output}`];
}
