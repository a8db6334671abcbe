import { CallContext } from '../../callable/context.ts';

/**
 * The call a worker is running, as seen by `currentSignal`: one object for all the calls of a worker that runs them one
 * after the other, because a context for each costs more than a small call.
 */
export class CurrentCall extends CallContext {
  readonly #calls = new Map<number, CallContext>();
  /** The number of the call that runs. */
  id = -1;

  override get signal(): AbortSignal {
    return this.of(this.id).signal;
  }

  override throwIfAborted(): void {
    this.#calls.get(this.id)?.throwIfAborted();
  }

  override abort(reason: unknown): void {
    this.of(this.id).abort(reason);
  }

  /** The context of a call, made when first asked for. */
  of(id: number): CallContext {
    let call = this.#calls.get(id);
    if (call === undefined) this.#calls.set(id, (call = new CallContext()));
    return call;
  }

  /** Another call had this number before, and may have been told to stop when it had ended already. */
  begin(id: number): void {
    this.ended(id);
  }

  ended(id: number): void {
    if (this.#calls.size > 0) this.#calls.delete(id);
  }
}
