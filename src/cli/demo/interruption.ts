import { constants } from 'node:os';
import { CancelledError } from '../../base/errors.ts';

/** While it lives, the first SIGINT or SIGTERM aborts the signal; a second one ends the program as it always does. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  /** Set once a signal has come. */
  exitCode: number | undefined;

  constructor() {
    process.once('SIGINT', this.#interrupt);
    process.once('SIGTERM', this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #interrupt = (name: 'SIGINT' | 'SIGTERM'): void => {
    this.exitCode = 128 + constants.signals[name];
    this.#controller.abort(new CancelledError(`interrupted by ${name}`));
    this[Symbol.dispose]();
  };

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#interrupt);
  }
}
