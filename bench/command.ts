import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

export const usage = `usage: npm run bench -- AREA… [options]

  --list        the areas there are
  --row NAME    only this row (may be given several times)
  --runs N      counted runs a row after the warm-up, at least 3 (default 3)
  --quick       a tenth of the operations: to see that it works, not to compare
  --no-peers    ours only; installs nothing
  --json FILE   write the rows as JSON
  --help        this text`;

const options = {
  list: { type: 'boolean' },
  row: { type: 'string', multiple: true },
  runs: { type: 'string' },
  quick: { type: 'boolean' },
  'no-peers': { type: 'boolean' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export interface Wanted {
  readonly areas: readonly string[];
  readonly only: readonly string[];
  readonly runs: number;
  readonly quick: boolean;
  readonly withPeers: boolean;
  readonly json: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

/** The areas there are. */
export function available(): string[] {
  const files = readdirSync(new URL('./areas/', import.meta.url)).filter((file) => file.endsWith('.js'));
  return files.map((file) => basename(file, '.js')).sort();
}

/** What the command line asks for, or what is wrong with it. */
export function parse(argv: string[], areas: readonly string[]): Wanted | string {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  const { list = false, help = false, quick = false, json, row: only = [] } = values;
  const unknown = positionals.filter((name) => !areas.includes(name));
  if (unknown.length > 0) return `unknown area ${unknown.join(', ')}; there are: ${areas.join(', ')}`;
  if (positionals.length === 0 && !list && !help) return `which area? There are: ${areas.join(', ')}`;
  const runs = Number(values.runs ?? 3);
  if (!Number.isInteger(runs) || runs < 3)
    return `--runs: expected a whole number of at least 3, received ${values.runs}`;
  return { areas: positionals, only, runs, quick, withPeers: !values['no-peers'], json, list, help };
}
