import { VirtualClock } from '../base/virtual-clock.ts';
import { Game } from './game.ts';
import type { ModeName } from './modes.ts';
import { modes } from './modes.ts';
import type { Mode } from './modes/mode.ts';
import type { Pace } from './simulation.ts';
import { playInTurn, playTogether } from './simulation.ts';

export interface ExhibitionOptions extends Pace {
  readonly boards: number;
  readonly workers: number;
  readonly nodes: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each of the master's moves with how many there have been in this mode. */
  readonly moved?: ((mode: ModeName, moves: number) => void) | undefined;
}

export interface Exhibition {
  readonly name: ModeName;
  readonly masters: number;
  /** Read off the simulation's clock. */
  readonly simulatedSeconds: number;
  /** From opening the doors (workers started) to the last guest gone (workers ended). */
  readonly realSeconds: number;
  /** One PGN text a board. */
  readonly games: readonly string[];
}

/**
 * Holds the exhibition in one mode: every board is played by the same rules at the same pace, and only where and how
 * many masters think is different. Fails with the signal's reason when aborted; the masters are released either way.
 */
export async function exhibit(name: ModeName, options: ExhibitionOptions): Promise<Exhibition> {
  const mode: Mode = modes[name];
  const games = Array.from({ length: options.boards }, (_, board) => new Game(board + 1, options.seed));
  const clock = new VirtualClock({ autoJump: true });
  const start = performance.now();
  const masters = await play(mode, name, games, clock, options);
  return {
    name,
    masters,
    simulatedSeconds: withoutNoise(clock.now()),
    realSeconds: (performance.now() - start) / 1000,
    games: games.map((game) => game.pgn()),
  };
}

/** The exhibitions whose games are not those of the first. */
export function differing(exhibitions: readonly Exhibition[]): Exhibition[] {
  const first = exhibitions[0]?.games.join('\n');
  return exhibitions.filter((exhibition) => exhibition.games.join('\n') !== first);
}

async function play(
  mode: Mode,
  name: ModeName,
  games: readonly Game[],
  clock: VirtualClock,
  options: ExhibitionOptions,
): Promise<number> {
  await using masters = await mode.open(options);
  let moves = 0;
  const moved = () => options.moved?.(name, ++moves);
  const simulation = { pace: options, masters, clock, signal: options.signal, moved };
  await (mode.inTurn ? playInTurn : playTogether)(games, simulation);
  return masters.count;
}

// Sums of decimal fractions carry noise in the last digits; a microsecond of simulated time is none.
function withoutNoise(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
