import { typeOf } from './key-types.ts';
import type { RedisClient } from './library.ts';

/** Finds which key of a command that was refused as WRONGTYPE is meant: Redis does not tell. */
export async function wrongKey(
  client: RedisClient,
  command: string,
  args: readonly (string | number)[],
): Promise<string | undefined> {
  const keys = [...new Set(/^eval/i.test(command) ? args.slice(2, 2 + Number(args[1])) : args.slice(0, 1))].map(String);
  try {
    const types = await Promise.all(keys.map((key) => client.call('TYPE', key)));
    return keys.find((key, i) => types[i] !== 'none' && types[i] !== typeOf(key));
  } catch {
    // Lost, or not allowed to look: the user hears as much as we know.
    return undefined;
  }
}
