import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceStack } from '../src/base/dispose.ts';
import type { Wanted } from './command.ts';
import { available, parse, usage } from './command.ts';
import type { Area, BenchContext, Row } from './harness.ts';
import { measure } from './harness.ts';
import { installPeers } from './peers.ts';
import { table } from './table.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  const areas = available();
  const wanted = parse(argv, areas);
  if (typeof wanted === 'string') return refuse(wanted);
  if (wanted.help) return say(usage);
  if (wanted.list) return say(areas.join('\n'));
  // Written to now, so that a path that cannot be is known before the minutes are spent.
  if (wanted.json !== undefined) writeFileSync(wanted.json, '[]\n');
  const rows: Row[] = [];
  for (const name of wanted.areas) rows.push(...(await runArea(name, wanted)));
  if (rows.length === 0) return refuse(`no such row: ${wanted.only.join(', ')}`);
  console.log(`\n${table(rows)}`);
  console.log(`  node ${process.version}, ${cpus().length} CPUs, medians of ${wanted.runs} runs after a warm-up`);
  if (wanted.json !== undefined) writeFileSync(wanted.json, `${JSON.stringify(rows, null, 2)}\n`);
  return rows.some((row) => Object.keys(row.failures).length > 0) ? 1 : 0;
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function refuse(why: string): number {
  console.error(`bench: ${why}\n\n${usage}`);
  return 2;
}

async function runArea(name: string, wanted: Wanted): Promise<Row[]> {
  const area = (await import(new URL(`./areas/${name}.js`, import.meta.url).href)) as Area;
  if (wanted.withPeers && area.peers !== undefined && area.peers.length > 0) installPeers(area.peers);
  const resources = new ResourceStack();
  const directory = mkdtempSync(join(tmpdir(), 'simul-bench-'));
  resources.defer(() => rmSync(directory, { recursive: true, force: true }));
  const interrupted = () => void resources.dispose().finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  try {
    const count = (full: number) => (wanted.quick ? Math.max(1, Math.round(full / 10)) : full);
    const context: BenchContext = { ...wanted, directory, resources, count };
    const plans = await area.rows(context);
    const rows: Row[] = [];
    for (const plan of plans.filter((plan) => wanted.only.length === 0 || wanted.only.includes(plan.name))) {
      console.error(`${name}: ${plan.name}`);
      rows.push(await measure(name, plan, context));
    }
    return rows;
  } finally {
    process.off('SIGINT', interrupted);
    await resources.dispose();
  }
}
