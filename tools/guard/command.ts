import { execFile } from 'node:child_process';

export interface CommandResult {
  /** It ended by itself, with 0. */
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, or why it could not run. */
  readonly output: string;
}

/** Runs a program; resolves with what it printed and whether it ended with 0. Never rejects. */
export function command(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly timeout?: number },
): Promise<CommandResult> {
  const { cwd, timeout = 300 } = options;
  return new Promise((resolve) => {
    execFile(file, args, { cwd, timeout: timeout * 1000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      resolve({ ok: error === null, stdout, output: error === null || output !== '' ? output : error.message });
    });
  });
}

/** No line if the program ended with 0, else what it printed. */
export async function faultsOf(file: string, args: readonly string[], cwd: string): Promise<string[]> {
  const { ok, output } = await command(file, args, { cwd });
  return ok ? [] : output.split('\n');
}
