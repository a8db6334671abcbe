/** The rungs of the ladder, in order, and what they stand on. */
export type Tier = 'runtime' | 'inline' | 'event loop' | 'thread' | 'process' | 'fleet' | 'system';

export interface Finding {
  readonly tier: Tier;
  readonly part: string;
  /** `missing` is an optional part that is not there; `broken` one that should be. */
  readonly state: 'ok' | 'missing' | 'broken';
  readonly detail: string;
}

/** Tries one part for real: gives the detail, or throws what is in the way. */
export interface Probe {
  readonly tier: Tier;
  readonly part: string;
  readonly optional?: boolean;
  readonly run: () => string | Promise<string>;
}

/** How long a piece of work took, in words. */
export async function timed(what: string, work: () => Promise<void>): Promise<string> {
  const begun = performance.now();
  await work();
  return `${what} in ${(performance.now() - begun).toFixed(1)} ms`;
}
