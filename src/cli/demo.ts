import { InvalidArgumentError } from '../base/errors.ts';
import type { Exhibition } from '../exhibition/exhibition.ts';
import { differing, exhibit } from '../exhibition/exhibition.ts';
import { Interruption } from './demo/interruption.ts';
import { openPgn } from './demo/pgn.ts';
import { ProgressBar } from './demo/progress.ts';
import type { DemoSettings } from './demo/settings.ts';
import { demoSettings } from './demo/settings.ts';
import { exhibitionTable } from './demo/table.ts';

export { demoOptions } from './demo/settings.ts';

/**
 * `simul demo`: the same chess exhibition held in every mode, timed on a virtual clock. Takes what the command line
 * gave (see `demoOptions`), writes to stdout and stderr, and gives the exit code: 0, 1 when something failed or the
 * modes did not play the same games, 2 for wrong use, 128 + the signal's number after SIGINT or SIGTERM.
 *
 * @example
 * process.exitCode = await demo({ boards: '4', moves: '5', json: true });
 */
export async function demo(options: Readonly<Record<string, unknown>> = {}): Promise<number> {
  let settings: DemoSettings;
  try {
    settings = demoSettings(options);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return complain(error.message, 2);
  }
  using interruption = new Interruption();
  try {
    return await run(settings, interruption.signal);
  } catch (error) {
    if (interruption.exitCode !== undefined) return complain('interrupted', interruption.exitCode);
    return complain((error as Error).message, 1);
  }
}

async function run(settings: DemoSettings, signal: AbortSignal): Promise<number> {
  using pgn = openPgn(settings.pgn);
  const exhibitions: Exhibition[] = [];
  using bar = new ProgressBar(settings.boards * settings.moves);
  for (const mode of settings.modes) {
    signal.throwIfAborted();
    exhibitions.push(await exhibit(mode, { ...settings, signal, moved: (name, moves) => bar.show(name, moves) }));
  }
  bar.clear();
  pgn.write(exhibitions[0]!.games);
  const strays = differing(exhibitions);
  console.log(settings.json ? asJson(exhibitions, settings) : exhibitionTable(exhibitions, settings));
  for (const { name } of strays) complain(`the games of ${name} are not those of ${exhibitions[0]!.name}`, 1);
  return strays.length > 0 ? 1 : 0;
}

function asJson(exhibitions: readonly Exhibition[], { boards, pgn }: DemoSettings): string {
  const modes = exhibitions.map(({ name, simulatedSeconds, realSeconds }) => {
    return { name, simulatedSeconds, realSeconds: Math.round(realSeconds * 1000) / 1000 };
  });
  return JSON.stringify({ modes, games: boards, pgn });
}

function complain(message: string, code: number): number {
  console.error(`simul demo: ${message}`);
  return code;
}
