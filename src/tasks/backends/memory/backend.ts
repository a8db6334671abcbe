import { realClock } from '../../../base/clock.ts';
import { onAbort } from '../../../base/abort.ts';
import { cancelledBy, throwIfAborted } from '../../../base/deadline.ts';
import { ClosedError } from '../../../base/errors.ts';
import { KeepAlive } from '../../../base/keep-alive.ts';
import type { Backend, BackendCapabilities, BackendOptions, StoredResult } from '../../backend.ts';
import { readyStates, resultLifetime } from '../../backend.ts';
import type { Share } from '../../memory/shared.ts';
import { SharedByName } from '../../memory/shared.ts';
import { MemoryResults } from './results.ts';

const spaces = new SharedByName((clock) => new MemoryResults(clock));

/** The result backend of `memory://name`: for tests and for programs of one process. */
export async function openMemoryBackend(name: string, options: BackendOptions): Promise<Backend> {
  const lifetime = resultLifetime(options);
  return new MemoryBackend(spaces.acquire(name, options.clock ?? realClock), lifetime);
}

class MemoryBackend implements Backend {
  readonly capabilities: BackendCapabilities = { durable: false, shared: false };
  readonly #share: Share<MemoryResults>;
  readonly #lifetime: number;
  readonly #waits = new Set<() => void>();
  readonly #keepAlive = new KeepAlive();
  #closed = false;

  constructor(share: Share<MemoryResults>, lifetime: number) {
    this.#share = share;
    this.#lifetime = lifetime;
  }

  async store(results: readonly StoredResult[]): Promise<void> {
    const space = this.#open();
    for (const { id, state, document, keep } of results)
      space.store({ id, state, document }, keep === true ? 0 : this.#lifetime);
  }

  async fetch(ids: readonly string[]): Promise<(StoredResult | undefined)[]> {
    const space = this.#open();
    return ids.map((id) => space.fetch(id));
  }

  async wait(id: string, signal?: AbortSignal): Promise<StoredResult> {
    const space = this.#open();
    throwIfAborted(signal);
    const result = space.fetch(id);
    if (result !== undefined && readyStates.has(result.state)) return result;
    return this.#keepAlive.during(this.#wait(space, id, signal));
  }

  async forget(ids: readonly string[]): Promise<void> {
    const space = this.#open();
    for (const id of ids) space.forget(id);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#waits) end();
    this.#share.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): MemoryResults {
    if (this.#closed) throw new ClosedError('the result backend is closed');
    return this.#share.value;
  }

  #wait(space: MemoryResults, id: string, signal: AbortSignal | undefined): Promise<StoredResult> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waits.delete(end);
        forgetSignal();
      };
      const callOff = space.wait(id, (result) => {
        done();
        resolve(result);
      });
      const fail = (error: Error) => {
        done();
        callOff();
        reject(error);
      };
      const end = () => fail(new ClosedError('the result backend was closed'));
      this.#waits.add(end);
      const forgetSignal = onAbort(signal, () => fail(cancelledBy(signal!)));
    });
  }
}
