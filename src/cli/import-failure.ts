import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/error-text.ts';
import { Failure } from './exit.ts';
import { userPlace } from './stack.ts';

/** What a module threw while it was imported, as one line that says where. */
export function importFailure(name: string, module: URL, error: unknown): Failure {
  const place = placeOf(error, module);
  const where = place === undefined ? '' : ` (${shortened(place)})`;
  const failure = new Failure(`-A ${name}: ${messageOf(error).split('\n')[0]!}${where}`);
  failure.cause = error;
  return failure;
}

function placeOf(error: unknown, module: URL): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const place = userPlace(error.stack ?? '');
  return place ?? (error instanceof SyntaxError ? syntaxPlace(module) : undefined);
}

// The error of an import says nothing of where the text could not be parsed; Node's own check does.
function syntaxPlace(module: URL): string | undefined {
  if (!/\.[cm]?js$/.test(module.pathname)) return undefined;
  const { status, stderr } = spawnSync(process.execPath, ['--check', fileURLToPath(module)], { encoding: 'utf8' });
  const first = stderr.split('\n')[0]!;
  return status !== 0 && /:\d+$/.test(first) ? first : undefined;
}

function shortened(place: string): string {
  const path = place.startsWith('file:') ? fileURLToPath(place) : place;
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
