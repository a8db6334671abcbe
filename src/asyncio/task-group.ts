import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import { inTask, runBody } from './body.ts';
import { isCancellation } from './cancellation.ts';
import { TaskGroupError } from './group-error.ts';
import { currentScope, Scope } from './scope.ts';
import type { TaskOptions } from './task.ts';
import { Task } from './task.ts';
import type { Call } from './wait.ts';
import { inCall, Wait } from './wait.ts';

/**
 * Tasks that belong together. The group ends when all of them have ended. The first failure cancels the others and
 * the body; then all failures are thrown together as a TaskGroupError (an AggregateError), the cancelled ones left out.
 *
 * With `await using` the body must end with `await group.join()`: a disposer is not told whether the body failed, so
 * leaving without it cancels the tasks. (asyncio.TaskGroup)
 *
 * @example
 * const tasks = await TaskGroup.run((group) => urls.map((url) => group.createTask(() => load(url))));
 * const pages = tasks.map((task) => task.result());
 */
export class TaskGroup implements AsyncDisposable {
  readonly #scope: Scope;
  readonly #ownsScope: boolean;
  readonly #requestsAbove: number;
  readonly #tasks = new Set<Task<unknown>>();
  readonly #failures: { path: string; error: unknown }[] = [];
  #state: 'open' | 'joining' | 'finished' = 'open';
  #aborting = false;
  #bodyCancelled = false;
  #allDone: Wait<void> | undefined;

  /** Opens a group in the current task, for `await using`. Throws InvalidStateError outside of a task. */
  constructor();
  /** @internal */
  constructor(scope: Scope);
  constructor(scope?: Scope) {
    const own = scope ?? currentScope();
    if (own?.task === undefined) throw new InvalidStateError('a TaskGroup needs a task around it: use TaskGroup.run');
    this.#scope = own;
    this.#ownsScope = scope !== undefined;
    this.#requestsAbove = this.#requestsOutside();
  }

  /** Runs `body` with a new group, waits for its tasks and gives what the body gave. */
  static run<T>(body: (group: TaskGroup) => T | PromiseLike<T>): Promise<T> {
    return inCall((call) => TaskGroup.#run(body, call));
  }

  static async #run<T>(body: (group: TaskGroup) => T | PromiseLike<T>, call: Call): Promise<T> {
    if (typeof body !== 'function') throw new InvalidArgumentError('body', body, 'a function');
    return inTask('task group', async (outer) => {
      const group = new TaskGroup(new Scope(outer.kernel, outer.task, outer));
      group.#scope.call = call;
      let value: T;
      try {
        value = await runBody(group.#scope, () => body(group));
      } catch (error) {
        return group.#finish(call, { error });
      }
      await group.#finish(call);
      return value;
    });
  }

  /** Starts `fn` in this group. Throws InvalidStateError once the group has finished or is shutting down. */
  createTask<T>(fn: () => T | PromiseLike<T>, options: TaskOptions = {}): Task<T> {
    checkOptions(options);
    if (this.#state === 'finished' || (this.#state === 'joining' && this.#tasks.size === 0)) {
      throw new InvalidStateError('TaskGroup is finished');
    }
    if (this.#aborting) throw new InvalidStateError('TaskGroup is shutting down');
    const task = new Task(fn, this.#scope.kernel, options.name);
    this.#tasks.add(task);
    task.look();
    task.observe({ notify: () => this.#childDone(task) });
    return task;
  }

  /** The end of a body under `await using`: waits for the tasks and throws what failed. */
  join(): Promise<void> {
    return inCall((call) => this.#join(call));
  }

  async #join(call: Call): Promise<void> {
    if (this.#ownsScope) throw new InvalidStateError('TaskGroup.run joins by itself when the body ends');
    if (this.#state !== 'open') throw new InvalidStateError('TaskGroup is finished');
    await this.#finish(call);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return inCall(async (call) => {
      if (this.#state !== 'open') return;
      this.#abort();
      await this.#finish(call);
    });
  }

  /** Waits for the tasks, then throws what has to be thrown; returns only if there is nothing. */
  async #finish(call: Call, failed: { readonly error: unknown }): Promise<never>;
  async #finish(call: Call): Promise<void>;
  async #finish(call: Call, failed?: { readonly error: unknown }): Promise<void> {
    this.#state = 'joining';
    const cancelled = failed !== undefined && isCancellation(failed.error, this.#scope);
    let propagate = cancelled ? failed : undefined;
    if (this.#bodyCancelled && this.#requestsOutside() <= this.#requestsAbove) propagate = undefined;
    this.#leaveScope();
    if (failed !== undefined) this.#abort();
    const interrupted = await this.#joinTasks(call);
    propagate ??= interrupted;
    this.#state = 'finished';
    if (propagate !== undefined && this.#failures.length === 0) throw propagate.error;
    if (failed !== undefined && !cancelled) this.#failures.push({ path: this.#path, error: failed.error });
    if (this.#failures.length === 0) return;
    if (this.#requestsOutside() > this.#requestsAbove) this.#outer?.redeliver();
    throw new TaskGroupError(this.#failures);
  }

  get #path(): string {
    return (this.#scope.task as Task<unknown>).path;
  }

  get #outer(): Scope | undefined {
    return this.#ownsScope ? this.#scope.parent : this.#scope;
  }

  /** Requests to cancel that are not the group's own. */
  #requestsOutside(): number {
    if (this.#ownsScope) return this.#scope.requestsAbove();
    return this.#scope.requestsAbove() + this.#scope.requests - (this.#bodyCancelled ? 1 : 0);
  }

  #leaveScope(): void {
    if (this.#ownsScope) this.#scope.close();
    else if (this.#bodyCancelled) {
      this.#scope.uncancel();
      this.#bodyCancelled = false;
    }
  }

  async #joinTasks(call: Call): Promise<{ error: unknown } | undefined> {
    let interrupted: { error: unknown } | undefined;
    while (this.#tasks.size > 0) {
      this.#allDone = new Wait<void>(`a task group (${this.#tasks.size} tasks)`);
      try {
        await this.#allDone.partOf(call).promise;
      } catch (error) {
        if (!this.#aborting) interrupted = { error };
        this.#abort();
      }
    }
    return interrupted;
  }

  #childDone(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0) this.#allDone?.resolve();
    if (!task.failed()) return;
    this.#failures.push({ path: task.path, error: task.reason() });
    if (this.#aborting) return;
    this.#abort();
    if (this.#state !== 'open') return;
    this.#bodyCancelled = true;
    this.#scope.cancel(undefined);
  }

  #abort(): void {
    if (this.#aborting) return;
    this.#aborting = true;
    for (const task of this.#tasks) if (!task.done()) task.cancel();
  }
}
