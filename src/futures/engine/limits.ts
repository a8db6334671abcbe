import { checkSeconds } from '../../base/deadline.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { SubmitOptions } from '../options.ts';
import type { Limits } from './job.ts';

/** What only some calls have; undefined for one that has nothing of it. InvalidArgumentError. */
export function limitsOf(
  { priority = 0, timeout, signal }: SubmitOptions,
  defaultTimeout: number | undefined,
  order: number,
): Limits | undefined {
  const seconds = timeout ?? defaultTimeout;
  if (seconds !== undefined) checkSeconds('timeout', seconds);
  if (!Number.isFinite(priority)) throw new InvalidArgumentError('priority', priority, 'a number');
  if (priority === 0 && seconds === undefined && signal === undefined) return undefined;
  return { priority, timeout: seconds, order };
}
