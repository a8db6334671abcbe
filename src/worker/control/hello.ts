import { isRecord } from '../../tasks/envelope.ts';
import { machineClock } from './stats.ts';
import type { ControlTarget } from './target.ts';

/** A starting worker tells what it knows to be revoked and asks for the same (Celery's mingle). Null to oneself. */
export function hello(target: ControlTarget, args: Readonly<Record<string, unknown>>): object | null {
  if (args['from_node'] === target.settings.hostname) return null;
  const theirs = args['revoked'];
  for (const id of isRecord(theirs) ? Object.keys(theirs) : []) target.revoked.add(id);
  const ours = target.revoked.list().map(({ id, age }) => [id, [timeOf(age), id]] as const);
  return { revoked: Object.fromEntries(ours), clock: target.lamport.forward() };
}

// A Python worker refuses a time that is an integer, and JSON would write a whole number as one.
function timeOf(age: number): number {
  const time = Math.max(0, machineClock() - age);
  return Number.isInteger(time) ? time + 1e-6 : time;
}
