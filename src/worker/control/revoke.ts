import { readyStates } from '../../tasks/backend.ts';
import { TaskRevokedError } from '../../tasks/errors.ts';
import { errorDocument } from '../../tasks/result-document.ts';
import type { ControlTarget } from './target.ts';

/**
 * Keeps tasks from starting, and with `terminate` tells runs to stop. As a Celery worker does, it stores REVOKED at once,
 * also for ids it has never seen; unlike it, not over a result that is there.
 */
export async function revoke(target: ControlTarget, args: Readonly<Record<string, unknown>>): Promise<object> {
  const ids = idsOf(args['task_id'] ?? args['task_ids']);
  for (const id of ids) target.revoked.add(id);
  await storeRevoked(target, ids, args['terminate'] === true);
  if (args['terminate'] !== true) return { ok: `tasks {${ids.map((id) => `'${id}'`).join(', ')}} flagged as revoked` };
  const running = [...target.dispatcher.active].filter((run) => ids.includes(run.id));
  for (const run of running) run.terminate();
  return {
    ok: running.length === 0 ? 'terminate: tasks unknown' : `terminate: ${running.map((r) => r.id).join(', ')}`,
  };
}

async function storeRevoked({ backend }: ControlTarget, ids: readonly string[], terminate: boolean): Promise<void> {
  const stored = await backend.fetch(ids);
  const open = ids.filter((_, i) => !readyStates.has(stored[i]?.state ?? ''));
  const error = new TaskRevokedError(terminate ? 'terminated' : 'revoked');
  await backend.store(
    open.map((id) => ({ id, state: 'REVOKED', document: errorDocument({ id }, 'REVOKED', error), keep: true })),
  );
}

export function idsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((id) => typeof id === 'string' && id !== '');
}
