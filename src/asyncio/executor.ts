/** Where a loop sends blocking work; thread and process pools are such (see `simul/futures`). */
export interface Executor {
  submit<A extends unknown[], T>(fn: (...args: A) => T | PromiseLike<T>, ...args: A): PromiseLike<T>;
  shutdown?(): unknown;
}

let makeDefault: (() => Executor) | undefined;

/** Supplies what `toThread` and `runInExecutor` use when no executor was given; called at most once for each loop. */
export function provideExecutor(make: () => Executor): void {
  makeDefault = make;
}

export function defaultExecutor(): Executor | undefined {
  return makeDefault?.();
}
