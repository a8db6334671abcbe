interface Waiting {
  readonly fns: Set<() => void>;
  readonly listener: () => void;
}

const listeners = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `fn` once when the signal is aborted, unless the function returned is called before. However many wait on one
 * signal, it gets one listener: Node warns of a leak from the eleventh on, and removing one walks over all. None stays
 * when nobody waits any more: a task asks its signal whether anybody heard of a cancellation.
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  if (signal === undefined) return () => {};
  let waiting = listeners.get(signal);
  if (waiting === undefined) listeners.set(signal, (waiting = listen(signal)));
  const { fns, listener } = waiting;
  fns.add(fn);
  return () => {
    if (!fns.delete(fn) || fns.size > 0) return;
    signal.removeEventListener('abort', listener);
    listeners.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const fns = new Set<() => void>();
  const listener = () => {
    for (const fn of fns) fn();
    fns.clear();
  };
  signal.addEventListener('abort', listener, { once: true });
  return { fns, listener };
}
