import { checkOptions } from '../base/options.ts';

/** What `registerAtFork` takes; each is optional. */
export interface AtForkHooks {
  /** In the parent, before the fork; the last registered runs first. */
  readonly before?: () => void;
  /** In the parent, after the fork (a failed one too), in order of registration. */
  readonly afterInParent?: () => void;
  /** In the child, before `fork` returns, in order of registration. */
  readonly afterInChild?: () => void;
}

const registered: AtForkHooks[] = [];

/**
 * Registers functions around every later `fork()`, as Python's os.register_at_fork does; there is no way back. They are
 * synchronous; one that throws is reported as an uncaught exception and does not stop the fork or the other hooks.
 *
 * @example
 * registerAtFork({ afterInChild: () => reconnect() });
 */
export function registerAtFork(hooks: AtForkHooks): void {
  checkOptions(hooks, 'hooks');
  registered.push(hooks);
}

/** The functions for children that were registered since the last call. @internal */
export function newChildHooks(): unknown[] {
  const fresh = registered.slice(known).map(({ afterInChild }) => afterInChild);
  known = registered.length;
  return fresh;
}

let known = 0;

/** @internal */
export function runAtFork(when: keyof AtForkHooks): void {
  const count = registered.length;
  for (let i = 0; i < count; i++) {
    const hooks = registered[when === 'before' ? count - 1 - i : i]!;
    try {
      hooks[when]?.();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
