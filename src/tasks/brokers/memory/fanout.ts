import type { Envelope } from '../../envelope.ts';
import { decodeEnvelope, encodeEnvelope } from '../../envelope.ts';
import type { Binding, Exchange, Fanout, Subscription } from '../../fanout.ts';
import { matchesTopic } from '../../fanout.ts';

/** Those who listen within one `memory://` name. */
export type MemoryBindings = Set<Binding>;

/** Hands each message to those who listen, at the next turn, as text: nobody shares an object with its sender. */
export class MemoryFanout implements Fanout {
  readonly #bindings: () => MemoryBindings;

  /** `bindings` throws once the broker is closed. */
  constructor(bindings: () => MemoryBindings) {
    this.#bindings = bindings;
  }

  async publish(exchange: Exchange, routingKey: string, envelope: Envelope): Promise<void> {
    const text = encodeEnvelope(envelope);
    const bindings = this.#bindings();
    for (const binding of [...bindings].filter((one) => hears(one, exchange, routingKey))) {
      queueMicrotask(() => {
        if (bindings.has(binding)) binding.onMessage(() => decodeEnvelope(text));
      });
    }
  }

  async subscribe(binding: Binding): Promise<Subscription> {
    const bindings = this.#bindings();
    // A copy: the same binding may be made twice.
    const own = { ...binding };
    bindings.add(own);
    const close = async () => void bindings.delete(own);
    return { close, [Symbol.asyncDispose]: close };
  }
}

function hears(binding: Binding, exchange: Exchange, key: string): boolean {
  if (binding.exchange.name !== exchange.name) return false;
  if (exchange.type === 'topic') return matchesTopic(binding.routingKey, key);
  return exchange.type === 'fanout' || binding.routingKey === key;
}
