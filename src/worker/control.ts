import { within } from '../base/deadline.ts';
import { messageOf } from '../base/error-text.ts';
import type { LamportClock } from '../tasks/control/lamport-clock.ts';
import { encodeReply } from '../tasks/control/reply.ts';
import type { ControlRequest } from '../tasks/control/request.ts';
import { decodeRequest } from '../tasks/control/request.ts';
import type { Envelope } from '../tasks/envelope.ts';
import type { Fanout, Subscription } from '../tasks/fanout.ts';
import { controlExchange, replyExchange } from '../tasks/fanout.ts';
import type { Command } from './control/command.ts';
import { noReply } from './control/command.ts';
import { selects } from './control/selection.ts';
import type { Log } from './log.ts';

export interface ControlParts {
  readonly fanout: Fanout;
  readonly hostname: string;
  readonly clock: LamportClock;
  readonly commands: ReadonlyMap<string, Command>;
  readonly log: Log;
}

/** Answers the commands that come over the broker (kombu's pidbox). What is malformed is logged and left alone. */
export class Control {
  readonly #parts: ControlParts;
  readonly #answers = new Set<Promise<void>>();
  #subscription: Subscription | undefined;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Resolves when commands are heard. */
  async start(): Promise<void> {
    this.#subscription = await this.#parts.fanout.subscribe({
      exchange: controlExchange,
      routingKey: '',
      queue: `${this.#parts.hostname}.${controlExchange.name}`,
      onMessage: (open) => this.#hear(open),
    });
  }

  /** Hears nothing more, and finishes the answers under way. */
  async stop(): Promise<void> {
    await this.#subscription?.close();
    // A broker that is away must not hold up the end of the worker.
    await within(Promise.all(this.#answers), { timeout: 2 }).catch(() => {});
  }

  #hear(open: () => Envelope): void {
    const { hostname, clock, log } = this.#parts;
    try {
      const request = decodeRequest(open());
      clock.adjust(request.clock);
      if (!selects(request, hostname)) return;
      const answer = this.#answer(request).finally(() => this.#answers.delete(answer));
      this.#answers.add(answer);
    } catch (error) {
      log.warn(`control message ignored: ${messageOf(error)}`);
    }
  }

  /** Never rejects. */
  async #answer(request: ControlRequest): Promise<void> {
    const value = await this.#carryOut(request);
    const { ticket, replyTo } = request;
    if (ticket === undefined || replyTo === undefined || value === noReply) return;
    const { fanout, hostname, clock, log } = this.#parts;
    const exchange = { ...replyExchange, name: replyTo.exchange };
    const write = (it: unknown) =>
      encodeReply({ ticket, hostname, value: it }, clock.forward(), exchange, replyTo.routingKey);
    try {
      await fanout.publish(exchange, replyTo.routingKey, writable(write, value));
    } catch (error) {
      log.warn(`cannot answer the control command ${request.method}: ${messageOf(error)}`);
    }
  }

  async #carryOut({ method, arguments: args }: ControlRequest): Promise<unknown> {
    const { commands, log } = this.#parts;
    const command = commands.get(method);
    if (command === undefined) {
      log.warn(`no control command '${method}'`);
      return { error: `KeyError('${method}')` };
    }
    try {
      return await command(args);
    } catch (error) {
      log.warn(`control command ${method} failed: ${messageOf(error)}`);
      return { error: messageOf(error) };
    }
  }
}

function writable(write: (value: unknown) => Envelope, value: unknown): Envelope {
  try {
    return write(value);
  } catch (error) {
    return write({ error: messageOf(error) });
  }
}
