/** The type that a key of the layout has, as TYPE names it: by its name, and a list if that says nothing. */
export function typeOf(key: string): string {
  return types.find(([name]) => name.test(key))?.[1] ?? 'list';
}

// Behind a prefix that may be anything. A queue may be called alike, so the end counts where the name has one.
const types: readonly (readonly [RegExp, string])[] = [
  [/unacked$/, 'hash'],
  [/unacked_index$/, 'zset'],
  [/unacked_mutex$/, 'string'],
  [/_kombu\.binding\./, 'set'],
  [/simul:consumers$/, 'zset'],
  [/simul:consumer:/, 'hash'],
  [/simul:(?:claims|begun):/, 'set'],
  [/simul:delayed:/, 'zset'],
  [/simul:published:/, 'string'],
  [/simul:steward$/, 'string'],
  [/celery-task-meta-/, 'string'],
];
