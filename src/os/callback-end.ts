const major = Number(process.versions.node.split('.')[0]);
const { _tickCallback: runTicks } = process as unknown as { _tickCallback?: () => void };

/**
 * Ends a call of libuv into JavaScript: runs the ticks and microtasks it has left. Up to Node 24 that is done behind a callback of
 * koffi; on Node 26 they would stay until something else happens on the event loop, seconds later. Where they were run already
 * there are none.
 */
export function endCallback(): void {
  if (major > 24) runTicks?.();
}
