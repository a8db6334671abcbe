import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { twinUrl } from '../callable/typescript/twin.ts';
import { forkFlags } from '../os/fork.ts';
import { Popen } from '../subprocess/popen.ts';

/** `simul run`: a script in a node that can fork. */
export function run(program: Command): void {
  program
    .command('run <script> [args...]')
    .description('run a script, JavaScript or TypeScript, with what fork() needs')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (script: string, args: string[]) => {
      process.exitCode = await runScript(script, args);
    });
}

/**
 * Runs a script in a process of its own, started with the flags of fork, on our standard streams; gives its exit code, 128 + N
 * if signal N ended it. Signals that ask us to end are passed on.
 */
export async function runScript(script: string, args: readonly string[]): Promise<number> {
  const entry = fileURLToPath(new URL('./run-script.js', import.meta.url));
  const child = new Popen([process.execPath, ...forkFlags, entry, script, ...args]);
  const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const pass = (signal: NodeJS.Signals) => {
    // The terminal sends SIGINT to the whole group; the script has it already.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.sendSignal(signal);
  };
  for (const signal of passed) process.on(signal, pass);
  try {
    const code = await child.wait();
    return code < 0 ? 128 - code : code;
  } finally {
    for (const signal of passed) process.removeListener(signal, pass);
  }
}

/** Imports the script as the main module of this process, its arguments where a script looks for them. */
export async function importScript(script: string, args: readonly string[]): Promise<void> {
  const path = resolve(script);
  process.argv = [process.argv[0]!, path, ...args];
  // Not importModule: what that imports counts as a library, and may start neither pools nor workers.
  await import(/\.[cm]?ts$/.test(path) ? await twinUrl(path) : pathToFileURL(path).href);
}
