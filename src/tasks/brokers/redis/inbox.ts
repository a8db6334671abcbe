import { decodeEnvelope } from '../../envelope.ts';
import type { Binding, Subscription } from '../../fanout.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { persist } from '../../redis/persistence.ts';
import type { Layout } from './layout.ts';
import { bindingMember } from './layout.ts';

/** Seconds that one look at the list waits. */
const patience = 10;

/** A list that gets what is sent to a `direct` exchange with its routing key. Closing removes it and what is in it. */
export class Inbox implements Subscription {
  readonly #binding: Binding;
  readonly #commands: RedisConnection;
  readonly #waiting: RedisConnection;
  readonly #layout: Layout;
  readonly #onClose: () => void;
  #loop: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(binding: Binding, commands: RedisConnection, layout: Layout, onClose: () => void) {
    this.#binding = binding;
    this.#commands = commands;
    this.#layout = layout;
    this.#onClose = onClose;
    // A connection of its own: a command that waits holds up all that come after it.
    this.#waiting = new RedisConnection(commands.location, { keepsAlive: false });
  }

  async open(): Promise<void> {
    // Twice changes nothing, so that it may be tried again; what is sent to workers after it may not.
    const { retryTimeout } = this.#commands.location;
    await persist(retryTimeout, () => this.#commands.call('SADD', [this.#key, this.#member]));
    this.#loop = this.#listen();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #key(): string {
    return this.#layout.binding(this.#binding.exchange.name);
  }

  get #member(): string {
    return bindingMember(this.#binding.routingKey, this.#binding.queue);
  }

  get #list(): string {
    return this.#layout.list(this.#binding.queue, 0);
  }

  async #listen(): Promise<void> {
    while (this.#closing === undefined) {
      try {
        const popped = (await this.#waiting.call('BRPOP', [this.#list, patience])) as [string, string] | null;
        const text = popped?.[1];
        if (text !== undefined) this.#binding.onMessage(() => decodeEnvelope(text));
      } catch {
        // A lost connection is opened again by the next call, after a pause; what cannot heal ends with `close`.
      }
    }
  }

  async #close(): Promise<void> {
    this.#onClose();
    await this.#waiting.close();
    await this.#loop;
    // Who cannot reach the server leaves an entry behind that nobody sends to.
    await Promise.allSettled([
      this.#commands.call('SREM', [this.#key, this.#member]),
      this.#commands.call('DEL', [this.#list]),
    ]);
  }
}
