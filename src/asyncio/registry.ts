import type { CancelledError } from '../base/errors.ts';

/** What the layers below tasks know of one; the links are the registry's. */
export interface TaskEntry {
  readonly name: string;
  before: TaskEntry | undefined;
  after: TaskEntry | undefined;
  /** Ends it for those who wait for it, whatever it still does. */
  giveUp(error: CancelledError): void;
}

/** The tasks that are not done, in the order in which they were made. */
export interface TaskRegistry extends Iterable<TaskEntry> {
  add(task: TaskEntry): void;
  delete(task: TaskEntry): void;
}

/** Keeps its tasks alive. A list through the tasks, since a Set of hundreds of thousands costs more than they do. */
export class TaskList implements TaskRegistry {
  #first: TaskEntry | undefined;
  #last: TaskEntry | undefined;

  add(task: TaskEntry): void {
    task.before = this.#last;
    if (this.#last === undefined) this.#first = task;
    else this.#last.after = task;
    this.#last = task;
  }

  delete(task: TaskEntry): void {
    if (task.before === undefined) this.#first = task.after;
    else task.before.after = task.after;
    if (task.after === undefined) this.#last = task.before;
    else task.after.before = task.before;
    task.before = undefined;
    task.after = undefined;
  }

  *[Symbol.iterator](): Iterator<TaskEntry> {
    for (let task = this.#first; task !== undefined; task = task.after) yield task;
  }
}

/**
 * The registry of debug mode. It must not keep alive what nobody else does, or a task whose wake-up was lost could
 * never be found out: `lost` is called with the name of a task that was collected while pending.
 */
export class WeakTaskRegistry implements TaskRegistry {
  readonly #refs = new Map<number, WeakRef<TaskEntry>>();
  readonly #keys = new WeakMap<TaskEntry, number>();
  readonly #finalizers: FinalizationRegistry<{ key: number; name: string }>;
  #serial = 0;

  constructor(lost: (name: string) => void) {
    this.#finalizers = new FinalizationRegistry(({ key, name }) => {
      if (this.#refs.delete(key)) lost(name);
    });
  }

  add(task: TaskEntry): void {
    const key = ++this.#serial;
    this.#keys.set(task, key);
    this.#refs.set(key, new WeakRef(task));
    this.#finalizers.register(task, { key, name: task.name }, task);
  }

  delete(task: TaskEntry): void {
    this.#finalizers.unregister(task);
    const key = this.#keys.get(task);
    if (key !== undefined) this.#refs.delete(key);
  }

  *[Symbol.iterator](): Iterator<TaskEntry> {
    for (const ref of this.#refs.values()) {
      const task = ref.deref();
      if (task !== undefined) yield task;
    }
  }
}
