import type { Socket } from 'node:net';
import { realClock } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import { ClosedError } from '../../base/errors.ts';
import { KeepAlive } from '../../base/keep-alive.ts';
import { pause } from '../../base/pause.ts';
import { fromRedis, isWrongType, wrongType } from './failure.ts';
import type { ServerFacts } from './handshake.ts';
import { shakeHands } from './handshake.ts';
import type { RedisClient } from './library.ts';
import { makeClient } from './library.ts';
import type { RedisLocation } from './location.ts';
import { wrongKey } from './wrong-key.ts';

export interface ConnectionOptions {
  /** Seconds without a byte from the server, while an answer is due, after which the connection counts as dead. */
  readonly silence?: number;
  /** Longest pause between two attempts to connect, in seconds. */
  readonly longestPause?: number;
  /** False for one whose user sees to it that the process lives as long as it should. */
  readonly keepsAlive?: boolean;
}

/** A value of a command; numbers are written as text. */
export type RedisValue = string | number;

export type Command = readonly [name: string, args: readonly RedisValue[]];

/**
 * One connection, opened at first use and again when it is used after a loss. A command is sent at most once: one whose
 * answer was lost with the connection rejects with ConnectionError, and whether it was done is for the caller to find
 * out. Keeps the process alive only while an answer is due.
 */
export class RedisConnection {
  readonly location: RedisLocation;
  readonly #options: ConnectionOptions;
  readonly #keepAlive = new KeepAlive();
  readonly #stop = new AbortController();
  readonly #up = new Set<(client: RedisClient) => void>();
  readonly #down = new Set<() => void>();
  #client: RedisClient | undefined;
  #facts: ServerFacts | undefined;
  #attempt: RedisClient | undefined;
  #opening: Promise<RedisClient> | undefined;
  #failures = 0;
  /** Why the connection was lost: the commands that were under way are told only that it was. */
  #reason: unknown;

  constructor(location: RedisLocation, options: ConnectionOptions = {}) {
    this.location = location;
    this.#options = options;
  }

  /** What the server said of itself when this connection was last opened. */
  get server(): ServerFacts | undefined {
    return this.#facts;
  }

  get isUp(): boolean {
    return this.#client !== undefined;
  }

  /** Sends a command and gives the reply, texts as strings. */
  call(command: string, args: readonly RedisValue[] = []): Promise<unknown> {
    return this.#during(command, args, (client) => client.call(command, args as RedisValue[]));
  }

  /**
   * Sends commands that are done together or, if the server takes one of them not at all, none of them. Gives the
   * replies: an Error for a command that failed when it was done, which does not keep the others from being done.
   * A user may lack the right to MULTI, and then all are done: try it with no commands first.
   */
  transaction(commands: readonly Command[]): Promise<unknown[]> {
    return this.#during('MULTI', [], (client) => transact(client, commands));
  }

  /** Connects if there is no connection; makes one attempt, after a pause if the last ones failed. */
  ready(): Promise<RedisClient> {
    if (this.#stop.signal.aborted) return Promise.reject(new ClosedError('the connection to Redis is closed'));
    if (this.#client !== undefined) return Promise.resolve(this.#client);
    this.#opening ??= this.#keepAlive.during(this.#open()).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** Calls `listener` whenever a new connection stands, before anything of others is sent on it. */
  onUp(listener: (client: RedisClient) => void): void {
    this.#up.add(listener);
  }

  /** Calls `listener` whenever the connection is lost. */
  onDown(listener: () => void): void {
    this.#down.add(listener);
  }

  /** Ends the connection, so that the next command opens another. */
  drop(): void {
    this.#client?.disconnect();
  }

  /** What is under way rejects. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    // One that is just being made may wait for a server that does not answer.
    this.#attempt?.disconnect();
    await this.#opening?.catch(() => {});
    const client = this.#client;
    if (client === undefined) return;
    const ended = deferred();
    client.once('end', () => ended.resolve());
    client.disconnect();
    await this.#keepAlive.during(ended.promise);
  }

  async #during<T>(
    command: string,
    args: readonly RedisValue[],
    work: (client: RedisClient) => Promise<T>,
  ): Promise<T> {
    const client = this.#client ?? (await this.ready());
    const { keepsAlive = true } = this.#options;
    if (keepsAlive) this.#keepAlive.hold();
    try {
      return await work(client);
    } catch (error) {
      throw await this.#failure(error, client, command, args);
    } finally {
      if (keepsAlive) this.#keepAlive.release();
    }
  }

  async #open(): Promise<RedisClient> {
    if (this.#failures > 0) await pause(this.#pauseLength(), this.#stop.signal);
    const client = await makeClient(this.#clientOptions());
    this.#reason = undefined;
    client.on('error', (error) => (this.#reason = error));
    try {
      if (this.#stop.signal.aborted) throw new ClosedError('the connection to Redis is closed');
      this.#attempt = client;
      await client.connect();
      this.#facts = await shakeHands(client, this.location);
    } catch (error) {
      this.#failures++;
      // For a socket that is gone already it would wait two seconds more.
      if (!(client.stream as Socket | undefined)?.destroyed) client.disconnect();
      if (this.#stop.signal.aborted) throw new ClosedError('the connection to Redis is closed', { cause: error });
      throw fromRedis(this.#reason ?? error, this.location.label);
    } finally {
      this.#attempt = undefined;
    }
    this.#failures = 0;
    this.#take(client);
    return client;
  }

  #take(client: RedisClient): void {
    this.#client = client;
    client.stream.unref();
    client.once('end', () => {
      this.#client = undefined;
      for (const listener of this.#down) listener();
    });
    for (const listener of this.#up) listener(client);
  }

  // Doubling, and of random length so that a fleet does not return in step.
  #pauseLength(): number {
    const longest = this.#options.longestPause ?? 2;
    return Math.min(0.025 * 2 ** this.#failures, longest) * (0.5 + realClock.random() / 2);
  }

  #clientOptions() {
    const { address, tls } = this.location;
    const { silence } = this.#options;
    return {
      ...address,
      ...(tls === undefined ? {} : { tls }),
      ...(silence === undefined ? {} : { socketTimeout: silence * 1000 }),
      lazyConnect: true,
      protocol: 2 as const,
      // Connecting again, sending again and queueing are decided here, where it is known what may be done twice.
      retryStrategy: () => null,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      disableClientInfo: true,
      connectTimeout: 5000,
      keepAlive: 15_000,
    };
  }

  async #failure(error: unknown, client: RedisClient, command: string, args: readonly RedisValue[]): Promise<Error> {
    if (this.#stop.signal.aborted) return new ClosedError('the connection to Redis is closed', { cause: error });
    // A primary that has become a replica: the name in the URL may lead to the new primary.
    if (error instanceof Error && error.message.startsWith('READONLY')) client.disconnect();
    if (isWrongType(error)) {
      const key = await wrongKey(client, command, args);
      if (key !== undefined) return wrongType(key, this.location.label, error);
    }
    const cause = error instanceof Error && error.message === 'Connection is closed.' ? this.#reason : undefined;
    return fromRedis(cause ?? error, this.location.label);
  }
}

async function transact(client: RedisClient, commands: readonly Command[]): Promise<unknown[]> {
  const replies = await Promise.allSettled(writeTogether(client, [['MULTI', []], ...commands, ['EXEC', []]]));
  const [begin, end] = [replies[0]!, replies.at(-1)!];
  if (end.status === 'fulfilled') return end.value as unknown[];
  // Whoever comes next would be part of one that could not be ended.
  if (begin.status === 'fulfilled' && !String(end.reason).includes('EXECABORT')) client.disconnect();
  throw replies.find((reply) => reply.status === 'rejected')!.reason;
}

/** With nothing of others in between, and in one step as far as the system goes. */
function writeTogether(client: RedisClient, commands: readonly Command[]): Promise<unknown>[] {
  const begun: Promise<unknown>[] = [];
  client.stream.cork();
  try {
    for (const [command, args] of commands) begun.push(client.call(command, args as RedisValue[]));
    return begun;
  } catch (error) {
    // Say that one is too long for a string: a transaction is left open, and nobody asks for the answers to the others.
    for (const one of begun) one.catch(() => {});
    client.disconnect();
    throw error;
  } finally {
    client.stream.uncork();
  }
}
