import type { Place } from './place.ts';

/** How often the server has carried out each command since its start or CONFIG RESETSTAT, those within scripts included. */
export async function commandCounts(place: Place): Promise<Record<string, number>> {
  const info = await place.call<string>('INFO', 'commandstats');
  const rows = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return Object.fromEntries(rows.map(([, command, calls]) => [command!, Number(calls)]));
}
