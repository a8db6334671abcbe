import { InvalidArgumentError } from '../base/errors.ts';
import { checkSeconds } from '../base/deadline.ts';

export interface TimeOptions {
  readonly countdown?: number | undefined;
  readonly eta?: Date | undefined;
  readonly expires?: number | Date | undefined;
}

/** When a message may run and when it no longer may. Negative `expires` is allowed: it has expired already. */
export function messageTimes(options: TimeOptions): { eta: Date | undefined; expires: Date | undefined } {
  const { countdown, eta, expires } = options;
  if (countdown !== undefined && eta !== undefined) {
    throw new InvalidArgumentError('eta', eta, 'either countdown or eta, not both');
  }
  if (eta !== undefined) checkDate('eta', eta);
  const due = countdown === undefined ? eta : new Date(Date.now() + checkSeconds('countdown', countdown) * 1000);
  return { eta: due, expires: expiry(expires) };
}

function expiry(expires: number | Date | undefined): Date | undefined {
  if (typeof expires !== 'number') return expires === undefined ? undefined : checkDate('expires', expires);
  if (!Number.isFinite(expires)) throw new InvalidArgumentError('expires', expires, 'a number of seconds, or a Date');
  return new Date(Date.now() + expires * 1000);
}

function checkDate(name: string, date: Date): Date {
  if (!(date instanceof Date) || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError(name, date, 'a valid Date');
  return date;
}

/**
 * A time as Python's `isoformat` writes it, in UTC. All six digits of the fraction: Celery before 5.3 takes `.123` for
 * 123 microseconds.
 */
export function isoTime(date: Date): string {
  return date.toISOString().replace('Z', '000+00:00');
}
