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
  const at = eta === undefined ? undefined : checkDate('eta', eta);
  const due = countdown === undefined ? at : fromNow('countdown', checkSeconds('countdown', countdown));
  return { eta: due, expires: expiry(expires) };
}

function expiry(expires: number | Date | undefined): Date | undefined {
  if (typeof expires !== 'number') return expires === undefined ? undefined : checkDate('expires', expires);
  if (!Number.isFinite(expires)) throw new InvalidArgumentError('expires', expires, 'a number of seconds, or a Date');
  return fromNow('expires', expires);
}

function fromNow(name: string, seconds: number): Date {
  const date = new Date(Date.now() + seconds * 1000);
  if (!isWritable(date)) throw new InvalidArgumentError(name, seconds, `seconds that lead to ${years}`);
  return date;
}

/** A copy: the caller's own may change before the message is written. */
function checkDate(name: string, date: Date): Date {
  if (!(date instanceof Date) || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError(name, date, 'a valid Date');
  if (!isWritable(date)) throw new InvalidArgumentError(name, date, `a Date of ${years}`);
  return new Date(date.getTime());
}

// Python's datetime has no others, and a Python worker refuses the whole message.
const years = 'the years 1 to 9999';

function isWritable(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/**
 * A time as Python's `isoformat` writes it, in UTC. All six digits of the fraction: Celery before 5.3 takes `.123` for
 * 123 microseconds.
 */
export function isoTime(date: Date): string {
  const time = date.getTime();
  if (time !== latest.time) latest = { time, text: `${date.toISOString().slice(0, -1)}000+00:00` };
  return latest.text;
}

// Those who write one time write many in the same millisecond.
let latest = { time: Number.NaN, text: '' };
