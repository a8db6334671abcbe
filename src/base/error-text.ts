/** The message of whatever was thrown, which need not be an Error. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return textOf(thrown.message);
  } catch {
    // A proxy, or a getter that throws.
  }
  return textOf(thrown);
}

/** Any value as text, without ever failing: also for objects without a prototype and for symbols. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'an object that cannot be shown';
  }
}
