const registered: (() => void)[] = [];

/**
 * Registers what a module forgets when its process, just forked, is to begin anew with nothing of its parent's under way: whose
 * timers will not come, and whose promises nobody will go on with.
 */
export function onFreshStart(forget: () => void): void {
  registered.push(forget);
}

/** Has all modules forget. */
export function startFresh(): void {
  for (const forget of registered) forget();
}
