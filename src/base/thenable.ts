/** Whether `await` would wait for it. A function with a `then` counts, as it does for the language. */
export function isThenable(value: unknown): value is PromiseLike<never> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
