import { platform } from 'node:os';
import type { Clock, ClockTimer } from '../base/clock.ts';
import { within } from '../base/deadline.ts';
import { messageOf } from '../base/error-text.ts';
import { version } from '../base/version.ts';
import type { LamportClock } from '../tasks/control/lamport-clock.ts';
import { transientEnvelope } from '../tasks/control/transient.ts';
import type { Fanout } from '../tasks/fanout.ts';
import { eventExchange } from '../tasks/fanout.ts';
import { loadAverages } from './control/stats.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Log } from './log.ts';

export interface HeartbeatParts {
  readonly fanout: Fanout;
  readonly hostname: string;
  /** Seconds between two. */
  readonly interval: number;
  readonly clock: Clock;
  readonly lamport: LamportClock;
  readonly dispatcher: Dispatcher;
  readonly log: Log;
}

/** Tells those who watch the fleet that this worker is there (Celery's worker events), until it says that it leaves. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #timer: ClockTimer | undefined;
  #sending: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#send('worker-online');
    this.#schedule();
  }

  /** One more, out of turn. */
  beat(): void {
    if (!this.#stopped) this.#send('worker-heartbeat');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#send('worker-offline');
    // A broker that is away must not hold up the end of the worker.
    await within(this.#sending, { timeout: 2, clock: this.#parts.clock }).catch(() => {});
  }

  #schedule(): void {
    const { clock, interval } = this.#parts;
    this.#timer = clock
      .setTimer(interval, () => {
        this.beat();
        this.#schedule();
      })
      .unref();
  }

  // One after the other: while the broker is away they must not pile up out of order.
  #send(type: 'worker-online' | 'worker-heartbeat' | 'worker-offline'): void {
    this.#sending = this.#sending.then(() => this.#publish(type));
  }

  async #publish(type: string): Promise<void> {
    const { fanout, hostname, log } = this.#parts;
    const key = type.replace('-', '.');
    try {
      await fanout.publish(eventExchange, key, transientEnvelope(this.#event(type), { hostname }, eventExchange, key));
    } catch (error) {
      log.debug(`cannot send ${type}: ${messageOf(error)}`);
    }
  }

  #event(type: string): object {
    const { hostname, interval, clock, lamport, dispatcher } = this.#parts;
    return {
      hostname,
      // Hours west of UTC, rounded down.
      utcoffset: Math.floor(new Date().getTimezoneOffset() / 60),
      pid: process.pid,
      clock: lamport.forward(),
      freq: interval,
      active: [...dispatcher.active].length,
      processed: [...dispatcher.totals.values()].reduce((sum, count) => sum + count, 0),
      loadavg: loadAverages(),
      sw_ident: 'simul',
      sw_ver: version,
      sw_sys: platform() === 'linux' ? 'Linux' : platform() === 'darwin' ? 'Darwin' : platform(),
      timestamp: clock.time(),
      type,
    };
  }
}
