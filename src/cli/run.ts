import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { twinUrl } from '../callable/typescript/twin.ts';
import { execve } from '../os/exec.ts';
import { forkFlags } from '../os/fork.ts';
import { hasLibc } from '../os/libc.ts';
import { Popen } from '../subprocess/popen.ts';
import { Failure } from './exit.ts';

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
 * Runs a script with the flags of fork, on our standard streams. On Linux this process becomes the script's, so that
 * every signal reaches it; elsewhere it is a process of its own, signals are passed on, and its exit code given: 128 + N
 * if signal N ended it.
 */
export async function runScript(script: string, args: readonly string[]): Promise<number> {
  checkScript(script);
  const entry = fileURLToPath(new URL('./run-script.js', import.meta.url));
  const command = [process.execPath, ...forkFlags, entry, script, ...args];
  if (process.platform === 'linux' && hasLibc()) execve(process.execPath, command);
  const child = new Popen(command);
  const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
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

function checkScript(script: string): void {
  const found = statSync(resolve(script), { throwIfNoEntry: false });
  if (found === undefined) throw new Failure(`run ${script}: there is no such file`, 2);
  if (found.isDirectory()) throw new Failure(`run ${script}: a directory; name the script`, 2);
}

/** Imports the script as the main module of this process, its arguments where a script looks for them. */
export async function importScript(script: string, args: readonly string[]): Promise<void> {
  const path = resolve(script);
  process.argv = [process.argv[0]!, path, ...args];
  // Not importModule: what that imports counts as a library, and may start neither pools nor workers.
  await import(/\.[cm]?ts$/.test(path) ? await twinUrl(path) : pathToFileURL(path).href);
}
