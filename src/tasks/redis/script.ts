import { createHash } from 'node:crypto';
import type { RedisConnection, RedisValue } from './connection.ts';

/** A Lua script: sent by its hash, and once in full to a server that does not know it. */
export interface Script {
  readonly source: string;
  readonly hash: string;
}

export function script(source: string): Script {
  return { source, hash: createHash('sha1').update(source).digest('hex') };
}

/** Runs a script. Rejects as the connection's `call` does. */
export async function runScript(
  connection: RedisConnection,
  { source, hash }: Script,
  keys: readonly string[],
  args: readonly RedisValue[],
): Promise<unknown> {
  try {
    return await connection.call('EVALSHA', [hash, keys.length, ...keys, ...args]);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return connection.call('EVAL', [source, keys.length, ...keys, ...args]);
  }
}

// Raised before anything of a script is done, so that it can be sent again.
function isUnknown(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}
