import type { ControlTarget } from './target.ts';

const defaults = ['exchange', 'routing_key', 'rate_limit'];

/** Celery's names of task options, where ours differ. */
const ours: Record<string, string> = {
  rate_limit: 'rateLimit',
  max_retries: 'maxRetries',
  acks_late: 'acksLate',
  time_limit: 'timeLimit',
  soft_time_limit: 'softTimeLimit',
  ignore_result: 'ignoreResult',
  track_started: 'trackStarted',
  default_retry_delay: 'defaultRetryDelay',
};

/** `shop.add [rate_limit=10/m]`: the registered tasks, each with those of the asked options that are set. */
export function registered({ app }: ControlTarget, args: Readonly<Record<string, unknown>>): string[] {
  const asked = args['taskinfoitems'];
  const items = Array.isArray(asked) && asked.length > 0 ? asked.map(String) : defaults;
  return [...app.tasks.values()]
    .map(({ name, options }) => {
      const values = options as Readonly<Record<string, unknown>>;
      const set = items.flatMap((item) => {
        const value = values[ours[item] ?? item];
        return value === undefined || value === null ? [] : [`${item}=${pythonic(value)}`];
      });
      return set.length === 0 ? name : `${name} [${set.join(' ')}]`;
    })
    .sort();
}

function pythonic(value: unknown): string {
  return value === true ? 'True' : value === false ? 'False' : String(value);
}
