import type { WaitOptions } from '../base/deadline.ts';
import { InvalidStateError } from '../base/errors.ts';
import { Guard } from './guard.ts';
import type { LockOptions } from './lock.ts';
import { SharedLock } from './lock.ts';
import type { Region } from './region.ts';
import { runningTask } from './task.ts';

const acquired: Promise<true> = Promise.resolve(true as const);

/** A lock its owner may take again: the owner is a thread and, within it, a task. */
export abstract class SharedRLock extends SharedLock {
  #task: unknown;
  #depth = 0;

  protected constructor(region: Region, options?: LockOptions) {
    super(region, options);
  }

  override tryAcquire(): boolean {
    if (this.#again()) return true;
    return this.#begin(super.tryAcquire());
  }

  override acquire(options?: WaitOptions): Promise<true> {
    if (this.#again()) return acquired;
    const task = runningTask();
    return super.acquire(options).then(() => this.#begin(true, task) as true);
  }

  override acquireSync(options?: WaitOptions): true {
    if (this.#again()) return true;
    super.acquireSync(options);
    return this.#begin(true) as true;
  }

  override release(): void {
    if (this.#depth > 0 && this.#task !== runningTask()) {
      throw new InvalidStateError('the lock is held by another task of this thread');
    }
    if (this.#depth > 1) {
      this.#depth--;
      return;
    }
    super.release();
    this.#depth = 0;
    this.#task = undefined;
  }

  /** @internal Frees it whatever its depth, for a wait of a condition; gives what `restore` needs. */
  releaseAll(): number {
    const depth = this.#depth;
    this.#depth = Math.min(depth, 1);
    this.release();
    return depth;
  }

  /** @internal */
  restore(depth: number): void {
    this.#depth = depth;
  }

  override async guard(options?: WaitOptions): Promise<Guard> {
    await this.acquire(options);
    return new Guard(this);
  }

  #again(): boolean {
    if (this.#depth === 0 || this.#task !== runningTask() || !this.isHeldByThisThread) return false;
    this.#depth++;
    return true;
  }

  #begin(taken: boolean, task = runningTask()): boolean {
    if (!taken) return false;
    this.#depth = 1;
    this.#task = task;
    return true;
  }
}
