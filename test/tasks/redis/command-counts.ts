import type { Place } from './place.ts';
import { until } from './place.ts';

/** How often the server has carried out each command since its start or CONFIG RESETSTAT, those within scripts included. */
export async function commandCounts(place: Place): Promise<Record<string, number>> {
  const info = await place.call<string>('INFO', 'commandstats');
  const rows = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return Object.fromEntries(rows.map(([, command, calls]) => [command!, Number(calls)]));
}

/** How often a second it carries out each command, over so many seconds of its own time at least. */
export async function commandRates(place: Place, seconds: number): Promise<Record<string, number>> {
  const time = async () => {
    const [whole, micro] = await place.call<[string, string]>('TIME');
    return Number(whole) + Number(micro) / 1e6;
  };
  const start = await time();
  await place.call('CONFIG', 'RESETSTAT');
  const end = await until(time, (now) => now >= start + seconds);
  const counts = Object.entries(await commandCounts(place));
  return Object.fromEntries(counts.map(([command, count]) => [command, count / (end - start)]));
}
