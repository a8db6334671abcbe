import { ClosedError } from '../base/errors.ts';

/** What `take` gives, one after the other, until it throws ClosedError; that ends it unless `isFailure` says otherwise. */
export async function* untilClosed<T>(take: () => Promise<T>, isFailure = (): boolean => false): AsyncGenerator<T> {
  for (;;) {
    let value: T;
    try {
      value = await take();
    } catch (error) {
      if (error instanceof ClosedError && !isFailure()) return;
      throw error;
    }
    yield value;
  }
}
