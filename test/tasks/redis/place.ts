import { ResourceStack } from '../../../src/base/dispose.ts';
import type { Backend, BackendOptions } from '../../../src/tasks/backend.ts';
import type { Broker, Consumer, ConsumerOptions } from '../../../src/tasks/broker.ts';
import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { startRedis } from '../../support/redis.ts';
import type { RunningServer } from '../../support/server.ts';

/** A private Redis and what a test opens at it; all is released at disposal. */
export class Place implements AsyncDisposable {
  readonly server: RunningServer;
  readonly #stack: ResourceStack;
  #raw: RedisConnection | undefined;

  private constructor(server: RunningServer, stack: ResourceStack) {
    this.server = server;
    this.#stack = stack;
  }

  static async open(args: readonly string[] = []): Promise<Place> {
    const stack = new ResourceStack();
    return new Place(
      stack.own(await startRedis({ args }), (server) => server.stop()),
      stack,
    );
  }

  url(rest = ''): string {
    return `redis://127.0.0.1:${this.server.port}${rest}`;
  }

  async broker(rest = ''): Promise<Broker> {
    return this.#stack.own(await openBroker(this.url(rest)), (broker) => broker.close());
  }

  async consumer(own: Partial<ConsumerOptions> = {}, rest = ''): Promise<Consumer> {
    return (await this.broker(rest)).consume({ queues: ['q'], lease: 30, hostname: 'test@here', ...own });
  }

  async backend(rest = '', options: BackendOptions = {}): Promise<Backend> {
    return this.#stack.own(await openBackend(this.url(rest), options), (backend) => backend.close());
  }

  own<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.own(resource, async (it) => it[Symbol.asyncDispose]());
  }

  /** Sends a command, as somebody else would. */
  async call<T = unknown>(command: string, ...args: (string | number)[]): Promise<T> {
    this.#raw ??= this.#stack.own(new RedisConnection(locateRedis(this.url())), (raw) => raw.close());
    return (await this.#raw.call(command, args)) as T;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.dispose();
  }
}

/** Asks again and again until the answer is wanted; between two questions other things happen. */
export async function until<T>(question: () => Promise<T>, wanted: (answer: T) => boolean, seconds = 20): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (wanted(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s; at last ${JSON.stringify(answer)}`);
    await new Promise(setImmediate);
  }
}
