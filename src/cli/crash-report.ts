import { currentContext } from '../tasks/context.ts';
import type { Worker } from '../worker/worker.ts';

/**
 * While it lives, a crash of the program names the task it comes from: an error that nobody catches, be it in a timer
 * or a promise the task left behind, or `process.exit()`. Node's own report with the stack, and its exit code, follow.
 */
export class CrashReport implements Disposable {
  readonly #worker: Worker;
  #told = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    process.on('uncaughtExceptionMonitor', this.#uncaught);
    process.on('exit', this.#exit);
  }

  readonly #uncaught = (_error: Error, origin: string): void => {
    const what = origin === 'unhandledRejection' ? 'a rejection that nobody handled' : 'an error that nobody caught';
    this.#tell(`${what} ends the worker`);
  };

  readonly #exit = (code: number): void => {
    // A cold stop ends the program by process.exit() too, when the worker has stopped.
    if (!this.#told && this.#worker.state !== 'stopped') this.#tell(`process.exit(${code}) ends the worker`);
  };

  #tell(what: string): void {
    this.#told = true;
    process.stderr.write(`simul: ${what}; ${this.#suspects()}\n`);
  }

  #suspects(): string {
    const context = currentContext();
    if (context !== undefined) return `it came from task ${context.task}[${context.id}]`;
    const running = this.#worker.active.map(({ task, id }) => `${task}[${id}]`);
    const more = running.length > 5 ? ` and ${running.length - 5} more` : '';
    return running.length === 0 ? 'no task was running' : `running: ${running.slice(0, 5).join(', ')}${more}`;
  }

  [Symbol.dispose](): void {
    process.off('uncaughtExceptionMonitor', this.#uncaught);
    process.off('exit', this.#exit);
  }
}
