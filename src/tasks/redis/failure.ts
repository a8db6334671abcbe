import { ConnectionError, InvalidStateError, SimulError, UnsupportedError } from '../../base/errors.ts';
import { typeOf } from './key-types.ts';

/** What ioredis or Redis said, as an error for the user: what happened, at which server, what to do. */
export function fromRedis(error: unknown, label: string): Error {
  if (error instanceof SimulError) return error;
  // What could not even be written, say because it is too long for a string, is no fault of the connection.
  if (error instanceof RangeError || error instanceof TypeError || isTooLong(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const name = replyName(message);
  if (name !== undefined && isReply(error)) return fromReply(name, message, label, error);
  return new ConnectionError(`cannot reach Redis at ${label}: ${describe(error, message)}`, { cause: error });
}

/** What an error that a script caught says, as `fromRedis` would. */
export function fromScript(text: string, key: string, label: string): SimulError {
  const message = text.replace(/^-/, '');
  const name = replyName(message);
  if (name === 'WRONGTYPE') return wrongType(key, label, new Error(message));
  return fromReply(name ?? 'ERR', message, label, new Error(message));
}

/** Whether the same command may succeed later without anybody changing our side. */
export function isTransient(error: unknown): boolean {
  return error instanceof ConnectionError && !error.permanent;
}

function fromReply(name: string, message: string, label: string, cause: unknown): SimulError {
  const permanent = (text: string) => new ConnectionError(text, { cause, permanent: true });
  const passing = (text: string) => new ConnectionError(text, { cause });
  switch (name) {
    case 'WRONGPASS':
    case 'NOAUTH':
      return permanent(
        `Redis at ${label} refused the login: put user and password in the URL (redis://user:password@host)`,
      );
    case 'NOPERM':
      return lacksRight(message, label, cause);
    case 'DENIED':
      return permanent(`Redis at ${label} is in protected mode: give it a password, or have it accept other machines`);
    case 'MOVED':
    case 'CROSSSLOT':
    case 'CLUSTERDOWN':
      return new UnsupportedError(
        `Redis at ${label} is part of a cluster, and those are not supported: name one that is not`,
        {
          cause,
        },
      );
    case 'LOADING':
      return passing(`Redis at ${label} is still loading its data`);
    case 'READONLY':
      return passing(`Redis at ${label} is a read-only replica: name the primary in the URL`);
    case 'OOM':
      return passing(`Redis at ${label} is out of memory: raise its maxmemory or delete what is not needed`);
    case 'MISCONF':
      return passing(`Redis at ${label} refuses to write because it cannot save to its disk: look at its log`);
    case 'WRONGTYPE':
      return new InvalidStateError(
        `a key of the queue or of Simul at ${label} is of the wrong type: delete or rename it`,
        {
          cause,
        },
      );
    case 'ERR':
      return fromPlainError(message, label, cause);
    default:
      return passing(`Redis at ${label} refused: ${message}`);
  }
}

function fromPlainError(message: string, label: string, cause: unknown): SimulError {
  const permanent = (text: string) => new ConnectionError(text, { cause, permanent: true });
  if (/user executing the script can't/.test(message)) return lacksRight(message, label, cause);
  if (/DB index|select is not allowed/i.test(message))
    return permanent(
      `the database in ${label} does not exist: Redis has 16 (0 to 15) unless "databases" says otherwise`,
    );
  if (/AUTH|password/i.test(message))
    return permanent(`Redis at ${label} knows no password, or not this way: correct the URL (${message})`);
  if (/unknown command/i.test(message))
    return new UnsupportedError(`Redis at ${label} lacks a command that Simul needs (6.2 has all): ${message}`, {
      cause,
    });
  if (/max number of clients/i.test(message))
    return new ConnectionError(`Redis at ${label} has no room for one more client: raise its maxclients`, { cause });
  return new InvalidStateError(`Redis at ${label} refused: ${message}`, { cause });
}

function lacksRight(message: string, label: string, cause: unknown): ConnectionError {
  const what = `the Redis user of ${label} lacks a right, grant it with ACL SETUSER: ${message}`;
  return new ConnectionError(what, { cause, permanent: true });
}

/** For a key that holds something else than it should. */
export function wrongType(key: string, label: string, cause: unknown): InvalidStateError {
  const type = typeOf(key);
  const found = `the key ${JSON.stringify(key)} at ${label} is not the ${typeNames[type] ?? type} it should be`;
  const otherwise =
    type === 'list' && !key.includes('simul:') ? 'or use another queue' : 'or another database or prefix';
  return new InvalidStateError(`${found}: delete or rename it, ${otherwise}`, { cause });
}

const typeNames: Readonly<Record<string, string>> = { zset: 'sorted set', string: 'text' };

/** Whether Redis refused a command because a key of it holds something else. */
export function isWrongType(error: unknown): boolean {
  return isReply(error) && replyName((error as Error).message) === 'WRONGTYPE';
}

// Before Redis 7 an error inside a script is reported within one of the script's.
const passedOn = ['CROSSSLOT', 'WRONGTYPE', 'OOM', 'READONLY', 'MISCONF', 'NOREPLICAS', 'NOPERM'];

function replyName(message: string): string | undefined {
  // A transaction whose end was refused names the reason behind that it is discarded.
  const name = /^(?:EXECABORT .* because of: )?([A-Z]+)(?= )/.exec(message)?.[1];
  if (name !== 'ERR' && name !== undefined) return name;
  if (!message.includes('script')) return name;
  return passedOn.find((one) => message.includes(`${one} `) || message.includes(`-${one}`)) ?? name;
}

function isTooLong(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_STRING_TOO_LONG';
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

function describe(error: unknown, message: string): string {
  // Node tries IPv4 and IPv6 and reports an AggregateError whose own message is empty.
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join('; ');
  if (message === 'Connection is closed.') return 'the connection was closed';
  const silent = /^Socket timeout\. .* (\d+)ms\.$/.exec(message)?.[1];
  if (silent !== undefined) return `it has not answered for ${Number(silent) / 1000} s (socket_timeout)`;
  if (message !== '') return message;
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'no reason was given';
}
