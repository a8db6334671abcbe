/**
 * Milliseconds in eighths, as a small integer, which takes no memory of its own. Wraps after some days, as do differences (`| 0`).
 */
export function eighths(millis: number): number {
  return (millis * 8) | 0;
}

export function clockEighths(): number {
  return (performance.now() * 8) | 0;
}

/** Milliseconds from one to the other. */
export function millisBetween(from: number, to: number): number {
  return Math.max(0, (to - from) | 0) / 8;
}
