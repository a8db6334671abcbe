import type { Clock } from '../base/clock.ts';
import { amount, backoff, classes, flag, retries } from './option-rules.ts';

export type ErrorMatcher = abstract new (...args: never[]) => Error;

/** When a failed task runs again, and how much later; the words are Celery's. */
export interface RetryPolicy {
  /** Retries before the task fails for good (3); null means without end. */
  readonly maxRetries?: number | null;
  /** Seconds before a retry that names no time of its own (180). */
  readonly defaultRetryDelay?: number;
  /** Classes of errors that are retried by themselves. */
  readonly autoretryFor?: readonly ErrorMatcher[];
  /** Exceptions to `autoretryFor`. */
  readonly dontAutoretryFor?: readonly ErrorMatcher[];
  /** Delays of automatic retries grow as factor · 2^retries seconds; true is a factor of 1. */
  readonly retryBackoff?: boolean | number;
  /** The longest of those delays, in seconds (600). */
  readonly retryBackoffMax?: number;
  /** Draw the delay at random between 0 and its full length (true). */
  readonly retryJitter?: boolean;
}

export function isRetried(policy: RetryPolicy, error: unknown): boolean {
  const matches = (classes: readonly ErrorMatcher[] = []) => classes.some((cls) => error instanceof cls);
  return matches(policy.autoretryFor) && !matches(policy.dontAutoretryFor);
}

/** Seconds before automatic retry number `retries` + 1. */
export function retryDelay(policy: RetryPolicy, retries: number, clock: Pick<Clock, 'random'>): number {
  const { retryBackoff = false, retryBackoffMax = 600, retryJitter = true } = policy;
  if (retryBackoff === false || retryBackoff === 0) return policy.defaultRetryDelay ?? 180;
  const factor = retryBackoff === true ? 1 : retryBackoff;
  const full = Math.min(retryBackoffMax, factor * 2 ** Math.min(retries, 60));
  return retryJitter ? Math.floor(clock.random() * (full + 1)) : full;
}

export const retryRules = {
  maxRetries: retries,
  defaultRetryDelay: amount,
  autoretryFor: classes,
  dontAutoretryFor: classes,
  retryBackoff: backoff,
  retryBackoffMax: amount,
  retryJitter: flag,
};
