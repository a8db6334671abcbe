import { TimeoutError } from '../base/errors.ts';
import type { AsyncResult } from '../tasks/result.ts';
import { Failure } from './exit.ts';
import { errorFields, plainText, printJson } from './output.ts';
import { userStack } from './stack.ts';

/** Waits for a task's end and prints it; resolves with 0 for a task that succeeded, 1 for one that did not. */
export async function showOutcome(result: AsyncResult, flags: { timeout?: number; json?: boolean }): Promise<number> {
  const outcome = await settled(result, flags);
  const state = await result.status();
  if (flags.json === true) {
    const detail = 'error' in outcome ? { result: null, error: errorFields(outcome.error) } : { result: outcome.value };
    printJson({ id: result.id, state, ...detail });
  } else if ('error' in outcome) {
    process.stderr.write(`${await account(result, outcome.error)}\n`);
  } else {
    process.stdout.write(`${plainText(outcome.value)}\n`);
  }
  return 'error' in outcome ? 1 : 0;
}

async function settled(
  result: AsyncResult,
  { timeout, json }: { timeout?: number; json?: boolean },
): Promise<{ value: unknown } | { error: unknown }> {
  try {
    return { value: await result.get({ timeout }) };
  } catch (error) {
    if (await result.ready()) return { error };
    // Not the task's error then.
    if (!(error instanceof TimeoutError)) throw error;
    const late = new Failure(`task ${result.id} has not ended after ${timeout} s; it goes on`);
    if (json === true) return { error: new TimeoutError(late.message, { timeout, cause: error }) };
    throw late;
  }
}

/** How a task failed: where it ran, if that is known. */
async function account(result: AsyncResult, error: unknown): Promise<string> {
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return process.env['SIMUL_DEBUG'] ? stack : userStack((await result.traceback()) ?? stack);
}
