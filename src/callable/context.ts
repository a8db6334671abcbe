import { AsyncLocalStorage } from 'node:async_hooks';

/** The call a host is running, seen from inside the called function. */
export class CallContext {
  #controller: AbortController | undefined;

  // Made on demand: most functions never ask, and a controller costs more than a small call.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  throwIfAborted(): void {
    this.#controller?.signal.throwIfAborted();
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** The code that runs while a module is being imported, and whatever it starts. */
export class ImportContext {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }
}

export const context = new AsyncLocalStorage<CallContext | ImportContext>();

/**
 * The signal of the call this code runs in: it fires when the caller aborts. Choose it to make a long function
 * cancellable in a thread or process. Outside of a call it is one that never fires.
 *
 * @example
 * const fetchPage = portable(import.meta, 'fetchPage', (url: string) => fetch(url, { signal: currentSignal() }));
 */
export function currentSignal(): AbortSignal {
  const current = context.getStore();
  return current instanceof CallContext ? current.signal : new AbortController().signal;
}
