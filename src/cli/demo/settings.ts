import { resolve } from 'node:path';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { ModeName } from '../../exhibition/modes.ts';
import { modeNames } from '../../exhibition/modes.ts';

export interface DemoSettings {
  readonly boards: number;
  readonly moves: number;
  readonly master: number;
  readonly opponent: number;
  readonly workers: number;
  readonly nodes: number;
  readonly seed: number;
  readonly modes: readonly ModeName[];
  /** Absolute. */
  readonly pgn: string;
  readonly json: boolean;
}

/** What the command line offers, for its parser and its help; values arrive as text and are checked here. */
export const demoOptions = [
  { flags: '--boards <n>', description: 'opponents, each at a board of their own', value: '24' },
  { flags: '--moves <n>', description: 'moves of each side on every board', value: '30' },
  { flags: '--master <seconds>', description: 'simulated seconds the master takes for a move', value: '5' },
  { flags: '--opponent <seconds>', description: 'simulated seconds an opponent takes for a move', value: '55' },
  { flags: '--workers <n>', description: 'masters in the modes that have workers', value: '2' },
  { flags: '--nodes <n>', description: 'positions the master looks at for a move', value: '6000' },
  { flags: '--seed <n>', description: "decides the opponents' moves", value: '1' },
  { flags: '--modes <list>', description: `some of ${modeNames.join(',')}`, value: modeNames.join(',') },
  { flags: '--pgn <file>', description: 'where the games are written', value: '.simul/demo.pgn' },
  { flags: '--json', description: 'print one JSON object and nothing else', value: undefined },
] as const;

/** Checks what came, with the defaults for what did not; throws InvalidArgumentError naming the flag. */
export function demoSettings(given: Readonly<Record<string, unknown>>): DemoSettings {
  const options = { ...defaults(), ...given };
  return {
    boards: whole('--boards', options['boards'], 1, 1000),
    moves: whole('--moves', options['moves'], 1, 500),
    master: seconds('--master', options['master']),
    opponent: seconds('--opponent', options['opponent']),
    workers: whole('--workers', options['workers'], 1, 64),
    nodes: whole('--nodes', options['nodes'], 1, 10_000_000),
    seed: whole('--seed', options['seed'], 0, 2 ** 32 - 1),
    modes: modeList(options['modes']),
    pgn: path(options['pgn']),
    json: options['json'] === true,
  };
}

function defaults(): Record<string, unknown> {
  return Object.fromEntries(demoOptions.map(({ flags, value }) => [/^--(\w+)/.exec(flags)![1]!, value]));
}

function whole(flag: string, value: unknown, least: number, most: number): number {
  const number = decimal(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(flag, value, `a whole number from ${least} to ${most}`);
}

function seconds(flag: string, value: unknown): number {
  const number = decimal(value);
  if (number >= 0 && number <= 1e6) return number;
  throw new InvalidArgumentError(flag, value, 'a number of seconds from 0 to 1000000');
}

// Number('') is 0 and Number('0x10') is 16: neither is what somebody meant to type.
function decimal(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
}

function modeList(value: unknown): readonly ModeName[] {
  const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : [];
  const known = names.filter((name): name is ModeName => (modeNames as readonly string[]).includes(name));
  if (known.length > 0 && known.length === names.length && new Set(known).size === known.length) return known;
  throw new InvalidArgumentError('--modes', value, `a list of some of ${modeNames.join(',')}, each once`);
}

function path(value: unknown): string {
  if (typeof value === 'string' && value !== '') return resolve(value);
  throw new InvalidArgumentError('--pgn', value, 'the path of a file');
}
