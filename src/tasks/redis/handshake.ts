import { UnsupportedError } from '../../base/errors.ts';
import type { RedisClient } from './library.ts';
import type { RedisLocation } from './location.ts';

/** What a server says of itself. */
export interface ServerFacts {
  readonly version: string;
  /** Another one after each start of the server. */
  readonly run: string;
}

/**
 * Logs in and chooses the database. We do it, not ioredis, because it would go on in database 0 if there is no such
 * database. Rejects with the server's error, or UnsupportedError for a Redis too old.
 */
export async function shakeHands(client: RedisClient, location: RedisLocation): Promise<ServerFacts> {
  const { username, password, database } = location;
  const login = password === undefined ? [] : username === undefined ? [password] : [username, password];
  // Sent together; the first that fails is the one to report.
  const steps: Promise<unknown>[] = [
    ...(login.length === 0 ? [] : [client.call('AUTH', ...login)]),
    ...(database === 0 ? [] : [client.call('SELECT', database)]),
    client.call('INFO', 'server').catch(withoutInfo),
  ];
  await Promise.allSettled(steps);
  const info = String((await Promise.all(steps)).at(-1));
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  if (version !== '' && !isEnough(version)) {
    const found = `Redis ${version} at ${location.label} is too old`;
    throw new UnsupportedError(`${found}: Simul needs 6.2 or newer (BLMOVE), Valkey of any version will do`);
  }
  return { version, run: /^run_id:(\S+)/m.exec(info)?.[1] ?? '' };
}

// A user may be denied INFO, which costs us nothing but the check; a missing login must be reported.
function withoutInfo(error: Error): string {
  if (error.message.startsWith('NOPERM')) return '';
  throw error;
}

function isEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}
