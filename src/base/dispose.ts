import { ClosedError } from './errors.ts';

/** What releases one resource; may be called more than once. */
export type Release = () => void | Promise<void>;

/**
 * Owns resources and releases them in reverse order, each exactly once, all of them even if some fail (an
 * AggregateError then tells which). What is added while it releases is released too; later it is refused with
 * ClosedError. Node 20 has no `AsyncDisposableStack`.
 */
export class ResourceStack implements AsyncDisposable {
  #releases: Release[] = [];
  #disposed = false;
  #disposal: Promise<void> | undefined;

  /** Registers a release and returns the resource it belongs to. */
  own<T>(resource: T, release: (resource: T) => void | Promise<void>): T {
    this.defer(() => release(resource));
    return resource;
  }

  /** Registers something to do at disposal. */
  defer(release: Release): void {
    if (this.#disposed) throw new ClosedError('the resources were released already');
    this.#releases.push(release);
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#run();
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #run(): Promise<void> {
    const errors: unknown[] = [];
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#disposed = true;
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources could not be released`);
  }
}
