import type { RowPlan } from '../harness.ts';

export const title = 'The task queue on the embedded broker (SQLite, synchronous=FULL)';

export function rows(): readonly RowPlan[] {
  return [];
}
