import { RedisConnection } from './connection.ts';
import type { RedisLocation } from './location.ts';

/** One holder's share of a connection. */
export interface ConnectionShare {
  readonly connection: RedisConnection;
  /** The last release closes the connection. Idempotent. */
  release(): Promise<void>;
}

const shares = new Map<string, { connection: RedisConnection; holders: number }>();

/** The connection for commands that all brokers and backends of this thread share that were given the same URL. */
export function shareConnection(location: RedisLocation): ConnectionShare {
  let entry = shares.get(location.key);
  if (entry === undefined) {
    entry = { connection: new RedisConnection(location, { silence: location.silence }), holders: 0 };
    shares.set(location.key, entry);
  }
  entry.holders++;
  const mine = entry;
  let released: Promise<void> | undefined;
  const release = async () => {
    if (--mine.holders > 0) return;
    shares.delete(location.key);
    await mine.connection.close();
  };
  return { connection: entry.connection, release: () => (released ??= release()) };
}
