import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/error-text.ts';
import { Failure } from './exit.ts';
import { userPlace } from './stack.ts';

/** What a module threw while it was imported, as one line that says where. */
export function importFailure(name: string, error: unknown): Failure {
  const place = error instanceof Error ? userPlace(error.stack ?? '') : undefined;
  const where = place === undefined ? '' : ` (${shortened(place)})`;
  const failure = new Failure(`-A ${name}: ${messageOf(error).split('\n')[0]!}${where}`);
  failure.cause = error;
  return failure;
}

function shortened(place: string): string {
  const path = place.startsWith('file:') ? fileURLToPath(place) : place;
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
