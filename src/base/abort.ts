interface Waiting {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

const waitingOn = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `fn` once when the signal is aborted, unless the function returned is called before. However many wait on one
 * signal, it gets one listener: Node warns of a leak from the eleventh on, and removing one walks over all. The last to
 * leave takes it away, so that a signal nobody follows any more shows none.
 */
export function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  if (signal === undefined) return () => {};
  const waiting = waitingOn.get(signal) ?? listen(signal);
  // An entry of its own for each call, also where two pass the same function.
  const call = (): void => fn();
  waiting.calls.add(call);
  return () => {
    if (!waiting.calls.delete(call) || waiting.calls.size > 0) return;
    signal.removeEventListener('abort', waiting.listener);
    waitingOn.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>();
  const listener = (): void => {
    waitingOn.delete(signal);
    for (const call of calls) call();
    calls.clear();
  };
  signal.addEventListener('abort', listener, { once: true });
  const waiting = { calls, listener };
  waitingOn.set(signal, waiting);
  return waiting;
}
