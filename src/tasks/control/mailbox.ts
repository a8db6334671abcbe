import type { Clock } from '../../base/clock.ts';
import { realClock } from '../../base/clock.ts';
import { checkSeconds } from '../../base/deadline.ts';
import { deferred } from '../../base/deferred.ts';
import { DecodeError, UnsupportedError } from '../../base/errors.ts';
import { uuid } from '../../base/ids.ts';
import { pause } from '../../base/pause.ts';
import type { Broker } from '../broker.ts';
import type { Envelope } from '../envelope.ts';
import type { Fanout } from '../fanout.ts';
import { controlExchange, replyExchange } from '../fanout.ts';
import { LamportClock } from './lamport-clock.ts';
import type { ControlReply } from './reply.ts';
import { decodeReply } from './reply.ts';
import { encodeRequest } from './request.ts';

/** Which workers a command is for, and how long to wait for their answers. */
export interface ControlOptions {
  /** Node names; all workers if absent. */
  readonly destination?: readonly string[] | undefined;
  /** Node names by pattern: shell wildcards, or a regular expression with `matcher: 'pcre'`. */
  readonly pattern?: string | undefined;
  readonly matcher?: 'glob' | 'pcre' | undefined;
  /** Seconds to wait for answers (1); it ends earlier once every worker named in `destination` has answered. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends commands to the workers of a fleet, ours and Python's, and collects what they answer (kombu's pidbox). */
export class Mailbox {
  readonly #fanout: Fanout;
  readonly #clock: Clock;
  readonly #lamport = new LamportClock();

  /** Throws UnsupportedError for a broker that carries no remote control. */
  constructor(broker: Broker, clock: Clock = realClock) {
    if (broker.fanout === undefined)
      throw new UnsupportedError('this broker carries no remote control; memory:// and redis:// do');
    this.#fanout = broker.fanout;
    this.#clock = clock;
  }

  /** Sends a command that nobody answers. */
  async cast(
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ControlOptions = {},
  ): Promise<void> {
    await this.#send(method, args, options, undefined, undefined);
  }

  /** The answers by node name, in the order they came; empty if no worker answered. An aborted signal ends it early. */
  async call(
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ControlOptions = {},
  ): Promise<Map<string, unknown>> {
    checkSeconds('timeout', options.timeout ?? 1);
    const [address, ticket] = [uuid(), uuid()];
    const replies = new Map<string, unknown>();
    const all = deferred();
    await using _ = await this.#fanout.subscribe({
      exchange: replyExchange,
      routingKey: address,
      queue: `${address}.${replyExchange.name}`,
      onMessage: (open) => {
        const reply = this.#read(open);
        if (reply?.ticket !== ticket) return;
        replies.set(reply.hostname, reply.value);
        if (options.destination?.every((name) => replies.has(name)) === true) all.resolve();
      },
    });
    await this.#send(method, args, options, ticket, address);
    await this.#until(all.promise, options);
    return replies;
  }

  async #until(all: Promise<void>, { timeout = 1, signal }: ControlOptions): Promise<void> {
    const over = new AbortController();
    const waited = pause(
      timeout,
      signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]),
      this.#clock,
    );
    await Promise.race([all, waited]);
    over.abort();
  }

  #send(
    method: string,
    args: Readonly<Record<string, unknown>>,
    options: ControlOptions,
    ticket: string | undefined,
    address: string | undefined,
  ): Promise<void> {
    const { destination, pattern, matcher = 'glob', timeout = 1 } = options;
    const replyTo = address === undefined ? undefined : { exchange: replyExchange.name, routingKey: address };
    const request = {
      method,
      arguments: args,
      destination,
      pattern,
      // A Python worker turns deaf at a matcher it does not know, and takes one only beside a pattern.
      matcher: pattern === undefined ? undefined : matcher,
      ticket,
      replyTo,
    };
    const expires = replyTo === undefined ? 0 : this.#clock.time() + timeout;
    return this.#fanout.publish(controlExchange, '', encodeRequest(request, this.#lamport.forward(), expires));
  }

  #read(open: () => Envelope): ControlReply | undefined {
    try {
      const reply = decodeReply(open());
      this.#lamport.adjust(reply.clock);
      return reply;
    } catch (error) {
      // Anybody may write to the queue of replies: what is none is left alone.
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }
}
