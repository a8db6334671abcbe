import type { Event, Lock } from '../../src/entry/threading.ts';
import { currentThread } from '../../src/entry/threading.ts';

export function whoAmI(known: Event, go: Event): object {
  known.set();
  go.waitSync({ timeout: 30 });
  const { name, ident, nativeId } = currentThread();
  return { name, ident, nativeId };
}

export function holdForEver(lock: Lock, taken: Event): void {
  lock.acquireSync();
  taken.set();
  for (;;) lock.locked();
}

export function useLocal(local: Record<string, unknown>): unknown[] {
  const before = local['x'];
  local['x'] = 2;
  return [before, local['x']];
}

export function lockBoth(first: Lock, second: Lock, mine: Event, theirs: Event): void {
  first.acquireSync();
  mine.set();
  theirs.waitSync({ timeout: 30 });
  second.acquireSync();
}
