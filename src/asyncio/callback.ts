import type { Step } from './batch.ts';
import type { Kernel } from './kernel.ts';
import { currentScope, runIn, Scope } from './scope.ts';

/** A callback given to the loop; it keeps the context variables of its giver and runs outside any task. */
export class Callback implements Step {
  readonly #kernel: Kernel;
  readonly #fn: () => void;
  readonly #variables: ReadonlyMap<object, unknown> | undefined;
  #cancelled = false;

  constructor(kernel: Kernel, fn: () => void) {
    this.#kernel = kernel;
    this.#fn = fn;
    this.#variables = currentScope()?.root.variables;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    this.#cancelled = true;
  }

  run(): void {
    if (this.#cancelled) return;
    const scope = new Scope(this.#kernel, undefined);
    scope.variables = this.#variables;
    try {
      runIn(scope, this.#fn);
    } catch (error) {
      const name = this.#fn.name === '' ? 'a callback' : `${this.#fn.name}()`;
      this.#kernel.report({ message: `Exception in callback ${name}`, exception: error, unhandled: true });
    }
  }
}
