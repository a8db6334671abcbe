import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { InvalidArgumentError } from '../../base/errors.ts';
import { redactUrl } from '../url.ts';

/** A Redis server, database and how to talk to them, as a URL tells. */
export interface RedisLocation {
  /** The URL without secrets, for messages. */
  readonly label: string;
  /** Equal for URLs that can share a connection. */
  readonly key: string;
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly tls: ConnectionOptions | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** kombu's `global_keyprefix`. */
  readonly keyPrefix: string;
  /** Seconds after which a claim of a Celery worker is taken for lost; every worker of a server must have the same. */
  readonly visibilityTimeout: number;
  /** Seconds for which sending and asking is tried again while the server cannot be reached. */
  readonly retryTimeout: number;
  /** Seconds without a byte from the server, while an answer is due, after which a connection counts as dead. */
  readonly silence: number;
}

const parameters = [
  'global_keyprefix',
  'visibility_timeout',
  'retry_timeout',
  'socket_timeout',
  'virtual_host',
  'ssl_cert_reqs',
  'ssl_ca_certs',
  'ssl_certfile',
  'ssl_keyfile',
  'ssl_check_hostname',
] as const;
type Parameter = (typeof parameters)[number];

/**
 * Reads `redis://[user:password@]host[:port][/database]`, `rediss://…` (TLS) and `redis+socket:///path?virtual_host=1`
 * (or `unix:///path`). Throws InvalidArgumentError that shows no secret.
 */
export function locateRedis(text: string): RedisLocation {
  const label = redactUrl(text);
  const url = parse(text, label);
  const query = readQuery(url, label);
  const socket = url.protocol === 'redis+socket:' || url.protocol === 'unix:';
  const address = socket ? { path: decodeURIComponent(url.pathname) } : hostAndPort(url);
  const database = databaseOf(socket ? (query.virtual_host ?? '') : url.pathname, label);
  return {
    label: label.replace(/[?#].*$/s, ''),
    key: text,
    address,
    tls: url.protocol === 'rediss:' ? tlsOptions(query, label) : undefined,
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    database,
    keyPrefix: query.global_keyprefix ?? '',
    visibilityTimeout: seconds('visibility_timeout', query.visibility_timeout, 3600),
    retryTimeout: seconds('retry_timeout', query.retry_timeout, 5),
    silence: positive('socket_timeout', seconds('socket_timeout', query.socket_timeout, 10)),
  };
}

/** The same place, where calls are tried again for another time than its URL says. */
export function impatient(location: RedisLocation, patience: number | undefined): RedisLocation {
  return patience === undefined ? location : { ...location, retryTimeout: patience };
}

function parse(text: string, label: string): URL {
  // Celery's list of servers to fall back on.
  if (/;[a-z+]+:\/\//i.test(text)) throw new InvalidArgumentError('url', label, 'one server (lists are not supported)');
  let url: URL;
  try {
    url = new URL(text);
    decodeURIComponent(url.username + url.password);
  } catch (cause) {
    const hint = 'a Redis URL (redis://[user:password@]host[:port][/database]; percent-encode what is special in them)';
    throw new InvalidArgumentError('url', label, hint, { cause });
  }
  return url;
}

function readQuery(url: URL, label: string): Partial<Record<Parameter, string>> {
  const query: Partial<Record<Parameter, string>> = {};
  for (const [name, value] of url.searchParams) {
    if (!(parameters as readonly string[]).includes(name)) {
      throw new InvalidArgumentError('url', label, `only the parameters ${parameters.join(', ')}`);
    }
    query[name as Parameter] = value;
  }
  return query;
}

function hostAndPort(url: URL): { host: string; port: number } {
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? 'localhost' : host, port: url.port === '' ? 6379 : Number(url.port) };
}

function databaseOf(path: string, label: string): number {
  const name = path.replace(/^\/+|\/+$/g, '');
  if (name === '') return 0;
  if (!/^\d{1,9}$/.test(name)) throw new InvalidArgumentError('url', label, 'the number of a database as its path');
  return Number(name);
}

function seconds(name: Parameter, text: string | undefined, preset: number): number {
  if (text === undefined) return preset;
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError(name, text, 'a number of seconds, 0 or more');
  return value;
}

function positive(name: Parameter, value: number): number {
  if (value === 0) throw new InvalidArgumentError(name, '0', 'more than 0 seconds');
  return value;
}

// Celery does not verify unless asked to; we do unless asked not to.
function tlsOptions(query: Partial<Record<Parameter, string>>, label: string): ConnectionOptions {
  const verify = (query.ssl_cert_reqs ?? 'required').toLowerCase().replace(/^cert_/, '');
  if (!['required', 'optional', 'none'].includes(verify)) {
    throw new InvalidArgumentError('ssl_cert_reqs', query.ssl_cert_reqs, 'required, optional or none');
  }
  return {
    rejectUnauthorized: verify !== 'none',
    ...(query.ssl_check_hostname === 'false' ? { checkServerIdentity: () => undefined } : {}),
    ...file('ca', query.ssl_ca_certs, label),
    ...file('cert', query.ssl_certfile, label),
    ...file('key', query.ssl_keyfile, label),
  };
}

function file(option: 'ca' | 'cert' | 'key', path: string | undefined, label: string): ConnectionOptions {
  if (path === undefined) return {};
  try {
    return { [option]: readFileSync(path) };
  } catch (cause) {
    throw new InvalidArgumentError('url', label, `a file that can be read as its TLS ${option}`, { cause });
  }
}
