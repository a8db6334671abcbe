import type { Redis, RedisOptions } from 'ioredis';
import { MissingLibraryError } from '../../base/errors.ts';

/** The part of ioredis that is used: it opens a socket, writes commands and reads replies; the rest is ours. */
export type RedisClient = Redis;

/** Makes a client; it connects when told to. Throws MissingLibraryError. */
export async function makeClient(options: Omit<RedisOptions, 'replyMapping'>): Promise<RedisClient> {
  const { Redis } = await import('ioredis').catch((cause: unknown) => {
    throw new MissingLibraryError('ioredis', 'a redis:// URL', { cause });
  });
  return new Redis(options);
}
