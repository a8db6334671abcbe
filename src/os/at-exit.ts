const handlers = new Set<() => void>();

/** As `process.on('exit', …)`, and kept where a process begins anew and drops the handlers its parent's program had set. */
export function atExit(handler: () => void): void {
  handlers.add(handler);
  process.on('exit', handler);
}

/** Drops the `exit` handlers of all others. */
export function keepOwnExitHandlers(): void {
  for (const listener of process.listeners('exit')) {
    if (!handlers.has(listener as () => void)) process.removeListener('exit', listener);
  }
}
