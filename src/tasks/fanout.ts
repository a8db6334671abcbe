import type { Envelope } from './envelope.ts';

/** A named point of distribution, as Celery's fleets share it. */
export interface Exchange {
  readonly name: string;
  /** `direct`: to the queues bound with just that routing key; `topic`: to patterns; `fanout`: to all. */
  readonly type: 'direct' | 'topic' | 'fanout';
}

export const controlExchange: Exchange = { name: 'celery.pidbox', type: 'fanout' };
export const replyExchange: Exchange = { name: 'reply.celery.pidbox', type: 'direct' };
export const eventExchange: Exchange = { name: 'celeryev', type: 'topic' };

/** What one listens to. */
export interface Binding {
  readonly exchange: Exchange;
  /** A key; on a `topic` exchange a pattern of words (`*` one, `#` any number); empty on a `fanout` exchange. */
  readonly routingKey: string;
  /** Name of a queue of one's own, where the broker keeps one for it. */
  readonly queue: string;
  /** Gets each message in order; `open` throws DecodeError for one that is malformed. Must not throw itself. */
  readonly onMessage: (open: () => Envelope) => void;
}

/** `close` ends it and removes its queue. Idempotent. It does not keep the program alive. */
export interface Subscription extends AsyncDisposable {
  close(): Promise<void>;
}

/**
 * What of a broker carries remote control and events: messages for everyone who listens at that moment, kept for
 * nobody. Lost connections come back by themselves; what was sent meanwhile is missed.
 */
export interface Fanout {
  /** Resolves when it is sent, whether or not anybody listens. */
  publish(exchange: Exchange, routingKey: string, envelope: Envelope): Promise<void>;
  /** Resolves when messages sent from now on arrive. */
  subscribe(binding: Binding): Promise<Subscription>;
}

/** Whether a routing key fits a topic pattern (AMQP 0-9-1, 3.1.3.3). */
export function matchesTopic(pattern: string, key: string): boolean {
  return fits(pattern.split('.'), key === '' ? [] : key.split('.'));
}

function fits(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return fits(rest, words) || (words.length > 0 && fits(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && fits(rest, words.slice(1));
}
