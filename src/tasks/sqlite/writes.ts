import type { Consumers } from './consumers.ts';
import type { Durability } from './database.ts';
import type { Messages } from './messages.ts';
import type { Answer, CallMessage } from './protocol.ts';
import type { Results } from './results.ts';

const names = [
  'publish',
  'consume',
  'begin',
  'acknowledge',
  'release',
  'quarantine',
  'leave',
  'purge',
  'store',
  'forget',
] as const;

/** A call that changes the database. */
export type WriteCall = Extract<CallMessage, readonly [number, (typeof names)[number], unknown]>;

/** What a transaction has done that others may be waiting for. */
export interface News {
  messages: boolean;
  results: string[];
}

export function isWrite(call: CallMessage): call is WriteCall {
  return (names as readonly string[]).includes(call[1]);
}

/**
 * What was promised to someone is on disk before he is answered. A lost claim, acknowledgement or release only means
 * that a message is handed out again.
 */
export function durabilityOf(writes: readonly WriteCall[]): Durability {
  const promised = writes.some(([, name]) => name === 'publish' || name === 'store' || name === 'quarantine');
  return promised ? 'full' : 'normal';
}

/** Does the writing calls. */
export class Writes {
  readonly #messages: Messages;
  readonly #results: Results;
  readonly #consumers: Consumers;

  constructor(messages: Messages, results: Results, consumers: Consumers) {
    this.#messages = messages;
    this.#results = results;
    this.#consumers = consumers;
  }

  /** In a write transaction. */
  run(calls: readonly WriteCall[], time: number): { answers: Answer[]; news: News } {
    const news: News = { messages: false, results: [] };
    const answers = calls.map((call): Answer => [call[0], this.#run(call, time, news)]);
    return { answers, news };
  }

  #run(call: WriteCall, time: number, news: News): unknown {
    switch (call[1]) {
      case 'publish':
        news.messages = true;
        this.#messages.publish(call[2]);
        break;
      case 'begin':
        this.#messages.begin(call[2]);
        break;
      case 'acknowledge':
        return this.#messages.acknowledge(call[2]);
      case 'release':
        if (this.#messages.release(call[2])) news.messages = true;
        break;
      case 'quarantine':
        this.#messages.quarantine(call[2], call[2].reason, call[2].id, time);
        break;
      case 'purge':
        return this.#messages.purge(call[2].queue, call[2].limit);
      case 'consume':
        return this.#consumers.join(call[2], time).id;
      case 'leave':
        if (this.#consumers.leave(call[2].consumer)) news.messages = true;
        break;
      case 'store':
        for (const id of call[2].ids) news.results.push(id);
        this.#results.store(call[2], time);
        break;
      case 'forget':
        this.#results.forget(call[2].ids);
        break;
    }
    return undefined;
  }
}
