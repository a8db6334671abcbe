import { realClock } from '../base/clock.ts';
import { messageOf } from '../base/error-text.ts';
import { endAtSecond } from '../signal/last-resort.ts';
import { leave } from '../worker/leave.ts';
import type { Worker } from '../worker/worker.ts';

/** Seconds that a cold stop may take. */
const coldLimit = 5;

/**
 * While it lives, the first SIGTERM or SIGINT stops a worker warm, the second cold. Where a task blocks this thread, so that
 * the first is not heard, the second ends the process as it stands.
 */
export class StopSignals implements Disposable {
  readonly #worker: Worker;
  readonly #quiet: boolean;
  readonly #keepHandlers: readonly (() => void)[];
  #signals = 0;
  /** 0, or after a cold stop 128 and the signal's number. */
  exitCode = 0;

  constructor(worker: Worker, quiet: boolean) {
    this.#worker = worker;
    this.#quiet = quiet;
    process.on('SIGTERM', this.#handle);
    process.on('SIGINT', this.#handle);
    this.#keepHandlers = [endAtSecond('SIGTERM'), endAtSecond('SIGINT')];
  }

  /** Whether a signal has come. */
  get asked(): boolean {
    return this.#signals > 0;
  }

  readonly #handle = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (++this.#signals === 1) {
      for (const keep of this.#keepHandlers) keep();
      if (!this.#quiet)
        process.stderr.write(`\nsimul: ${signal}: finishing the tasks under way; once more stops at once\n`);
      void this.#worker.stop({ why: `received ${signal}` }).catch(report);
      return;
    }
    this.exitCode = signal === 'SIGTERM' ? 143 : 130;
    void this.#worker.kill({ why: `received ${signal} twice` }).catch(report);
    // A task that does not end would hold up even a cold stop.
    void this.#worker.stopped.then(() => {
      if (this.#worker.stuck.length > 0) leave(this.exitCode);
      process.exit(this.exitCode);
    });
    // So would a broker that does not answer.
    realClock.setTimer(coldLimit, () => this.#giveUp()).unref();
  };

  #giveUp(): void {
    const left = 'what it has claimed goes back when its connection or lease is found to have ended';
    process.stderr.write(`simul: not stopped within ${coldLimit} s: ${left}\n`);
    // A thread in native code would hold up process.exit.
    leave(this.exitCode);
  }

  [Symbol.dispose](): void {
    process.off('SIGTERM', this.#handle);
    process.off('SIGINT', this.#handle);
  }
}

function report(error: unknown): void {
  process.stderr.write(`simul: ${messageOf(error)}\n`);
}
