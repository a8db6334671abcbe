const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `fn` once when the signal is aborted, unless the function returned is called before. However many wait on one
 * signal, it gets one listener: Node warns of a leak from the eleventh on, and removing one walks over all.
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  if (signal === undefined) return () => {};
  let waiting = listeners.get(signal);
  if (waiting === undefined) listeners.set(signal, (waiting = listen(signal)));
  waiting.add(fn);
  return () => {
    waiting.delete(fn);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>();
  signal.addEventListener(
    'abort',
    () => {
      for (const fn of waiting) fn();
      waiting.clear();
    },
    { once: true },
  );
  return waiting;
}
