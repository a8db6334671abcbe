import { TimeoutError } from '../base/errors.ts';
import type { AsyncResult } from '../tasks/result.ts';
import { Failure } from './exit.ts';
import { errorFields, printJson } from './output.ts';

/** Waits for a task's end and prints it; resolves with 0 for a task that succeeded, 1 for one that did not. */
export async function showOutcome(result: AsyncResult, flags: { timeout?: number; json?: boolean }): Promise<number> {
  const outcome = await settled(result, flags.timeout);
  const state = await result.status();
  if (flags.json === true) {
    const detail = 'error' in outcome ? { result: null, error: errorFields(outcome.error) } : { result: outcome.value };
    printJson({ id: result.id, state, ...detail });
  } else if ('error' in outcome) {
    process.stderr.write(`${outcome.error instanceof Error ? outcome.error.stack : String(outcome.error)}\n`);
  } else {
    process.stdout.write(`${typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)}\n`);
  }
  return 'error' in outcome ? 1 : 0;
}

async function settled(
  result: AsyncResult,
  timeout: number | undefined,
): Promise<{ value: unknown } | { error: unknown }> {
  try {
    return { value: await result.get({ timeout }) };
  } catch (error) {
    if (error instanceof TimeoutError && error.timeout === timeout && !(await result.ready())) {
      throw new Failure(`task ${result.id} has not ended after ${timeout} s; it goes on`);
    }
    return { error };
  }
}
