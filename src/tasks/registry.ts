import { InvalidArgumentError } from '../base/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import type { Broker, BrokerOptions } from './broker.ts';
import { redactUrl } from './url.ts';

type Loader<Options, Seam> = (url: string, options: Options) => Promise<Seam>;

// Loaders, so that a program loads the libraries of the one kind it uses.
const brokers: Record<string, Loader<BrokerOptions, Broker>> = {
  memory: async (url, options) => {
    const { openMemoryBroker } = await import('./brokers/memory/broker.ts');
    return openMemoryBroker(rest(url), options);
  },
  sqlite: async (url) => {
    const { openSqliteBroker } = await import('./brokers/sqlite/broker.ts');
    return openSqliteBroker(url);
  },
  ...forRedis(async (url, options) => (await import('./brokers/redis/broker.ts')).openRedisBroker(url, options)),
};

const backends: Record<string, Loader<BackendOptions, Backend>> = {
  memory: async (url, options) => {
    const { openMemoryBackend } = await import('./backends/memory/backend.ts');
    return openMemoryBackend(rest(url), options);
  },
  sqlite: async (url, options) => {
    const { openSqliteBackend } = await import('./backends/sqlite/backend.ts');
    return openSqliteBackend(url, options);
  },
  ...forRedis(async (url, options) => (await import('./backends/redis/backend.ts')).openRedisBackend(url, options)),
};

/**
 * Opens the broker a URL names: `memory://[name]` within this thread, `sqlite://` for the embedded one,
 * `redis://[user:password@]host[:port][/database]`, `rediss://` (TLS) or `redis+socket:///path` for a Redis server.
 * Throws InvalidArgumentError for a scheme that is not known.
 *
 * @example
 * await using broker = await openBroker('sqlite://');
 */
export async function openBroker(url: string, options: BrokerOptions = {}): Promise<Broker> {
  return loaderFor('broker', brokers, url)(url, options);
}

/**
 * Opens the result backend a URL names; the schemes are those of `openBroker`.
 *
 * @example
 * await using backend = await openBackend('memory://test', { resultExpires: 3600 });
 */
export async function openBackend(url: string, options: BackendOptions = {}): Promise<Backend> {
  return loaderFor('backend', backends, url)(url, options);
}

function forRedis<L>(loader: L): Record<string, L> {
  return { redis: loader, rediss: loader, 'redis+socket': loader, unix: loader };
}

function loaderFor<T>(what: string, loaders: Record<string, T>, url: string): T {
  const scheme = typeof url === 'string' ? /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() : undefined;
  if (scheme !== undefined && Object.hasOwn(loaders, scheme)) return loaders[scheme]!;
  const known = Object.keys(loaders).map((name) => `${name}://`);
  throw new InvalidArgumentError(
    what,
    typeof url === 'string' ? redactUrl(url) : url,
    `a URL that begins with ${known.join(', ')}`,
  );
}

function rest(url: string): string {
  return url.replace(/^[^:]*:(?:\/\/)?/, '');
}
