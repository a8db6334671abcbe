import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { sourceFiles } from '../tree.ts';
import { command } from './command.ts';

/** The programs of `examples/` that do not end with 0 by themselves within a minute, each in an empty folder. */
export async function exampleFaults(repository: string): Promise<string[]> {
  const programs = sourceFiles(resolve(repository, 'examples')).filter((file) => /^\d+-/.test(basename(file)));
  const faults: string[] = [];
  for (const file of programs) faults.push(...(await runProgram(repository, basename(file, '.ts'))));
  return faults;
}

async function runProgram(repository: string, name: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'simul-example-'));
  try {
    const compiled = resolve(repository, 'dist/examples', `${name}.js`);
    const { ok, output } = await command(process.execPath, [compiled], { cwd: folder, timeout: 60 });
    return ok ? [] : [`examples/${name}.ts: ${output}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
