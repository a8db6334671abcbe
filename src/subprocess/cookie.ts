import { uuid } from '../base/ids.ts';

/** The variable that marks a program and its descendants: a list of ids, one for each of our programs around it. */
export const cookieName = 'SIMUL_TREE';

/**
 * The environment with one more id at the end of the mark. The outer ids stay, so that killing an outer tree finds
 * the inner ones' descendants too.
 */
export function cookieEnvironment(pairs: string[]): { pairs: string[]; cookie: string } {
  const cookie = uuid();
  const prefix = `${cookieName}=`;
  const at = pairs.findIndex((pair) => pair.startsWith(prefix));
  // With an `env` of the caller's own the marks around us would be lost; ours has them.
  const outer = at >= 0 ? pairs[at]!.slice(prefix.length) : (process.env[cookieName] ?? '');
  const pair = `${prefix}${outer === '' ? '' : `${outer},`}${cookie}`;
  if (at >= 0) pairs[at] = pair;
  else pairs.push(pair);
  return { pairs, cookie };
}
