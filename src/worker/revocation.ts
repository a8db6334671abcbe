import { messageOf } from '../base/error-text.ts';
import type { Clock, ClockTimer } from '../base/clock.ts';
import type { Backend } from '../tasks/backend.ts';
import { isRecord } from '../tasks/envelope.ts';
import { readResultDocument } from '../tasks/result-document.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Log } from './log.ts';

const period = 1;

/**
 * Looks once a second whether tasks that have been running for longer than that were revoked with `terminate`, and
 * tells them to stop. No query is made while none has.
 */
export class RevocationWatch {
  readonly #backend: Backend;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: ClockTimer;
  #stopped = false;

  constructor(backend: Backend, dispatcher: Dispatcher, clock: Clock, log: Log) {
    this.#backend = backend;
    this.#dispatcher = dispatcher;
    this.#clock = clock;
    this.#log = log;
    this.#timer = this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  #next(): ClockTimer {
    return this.#clock.setTimer(period, () => void this.#look()).unref();
  }

  async #look(): Promise<void> {
    const old = [...this.#dispatcher.active].filter((run) => this.#clock.now() - run.since >= period);
    try {
      const stored = old.length === 0 ? [] : await this.#backend.fetch(old.map((run) => run.id));
      stored.forEach((result, i) => {
        if (result?.state === 'REVOKED' && isTerminated(result.document)) old[i]!.terminate();
      });
    } catch (error) {
      this.#log.warn(`cannot look for revoked tasks: ${messageOf(error)}`);
    }
    if (!this.#stopped) this.#timer = this.#next();
  }
}

function isTerminated(text: string): boolean {
  const { result } = readResultDocument(text);
  return isRecord(result) && Array.isArray(result['exc_message']) && result['exc_message'][0] === 'terminated';
}
