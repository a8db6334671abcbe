import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { startRedis } from '../../../test/support/redis.ts';
import type { RunningServer } from '../../../test/support/server.ts';

/** The Redis of this area: no persistence, loopback only, one database for all contenders in turn. */
export class RedisServer implements AsyncDisposable {
  readonly #server: RunningServer;
  readonly #connection: RedisConnection;

  private constructor(server: RunningServer) {
    this.#server = server;
    this.#connection = new RedisConnection(locateRedis(`redis://127.0.0.1:${server.port}`));
  }

  static async start(): Promise<RedisServer> {
    return new RedisServer(await startRedis());
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#server.port}/0`;
  }

  get port(): number {
    return this.#server.port;
  }

  async call<T>(command: string, ...args: (string | number)[]): Promise<T> {
    return (await this.#connection.call(command, args)) as T;
  }

  /** Commands so far, those within scripts included, our own questions not. */
  async commands(): Promise<number> {
    const info = await this.call<string>('INFO', 'commandstats');
    const ignored = /^(info|config\|.*|ping|llen|hlen)$/;
    const counts = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].filter(([, name]) => !ignored.test(name!));
    return counts.reduce((sum, [, , calls]) => sum + Number(calls), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    await this.#server.stop();
  }
}
