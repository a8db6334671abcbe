import { createTask } from '../../asyncio/task.ts';
import { NotFoundError } from '../../base/errors.ts';
import { importModule } from '../../callable/module.ts';
import { portable } from '../../callable/portable.ts';
import { resolve } from '../../callable/reference.ts';
import type { Reference } from '../../callable/registry.ts';
import type { CarriedValue } from '../context.ts';
import { carriedVariable } from '../context.ts';
import { callEach } from './items.ts';

/** How the arguments are meant: those of one call, or one or all arguments of many. */
export type Form = 'call' | 'each' | 'spread';

type Fn = (...args: unknown[]) => unknown;

/** Runs a function as a task of its own that has these values of context variables. */
export const runInContext = portable(import.meta, 'runInContext', inContext);

async function inContext(
  values: readonly CarriedValue[],
  reference: Reference,
  form: Form,
  args: unknown[],
): Promise<unknown> {
  const fn = (await resolve(reference)) as Fn;
  return withValues(values, () => (form === 'call' ? fn(...args) : callEach(fn, args, form === 'spread')));
}

/** Runs `body` in a task of its own that has these values. */
export async function withValues(values: readonly CarriedValue[], body: () => unknown): Promise<unknown> {
  for (const { url, name } of values) if (carriedVariable(url, name) === undefined) await importModule(url);
  return createTask(() => {
    for (const { url, name, value } of values) variableOf(url, name).set(value);
    return body();
  });
}

function variableOf(url: string, name: string) {
  const variable = carriedVariable(url, name);
  if (variable !== undefined) return variable;
  throw new NotFoundError(`${url} was imported but declared no context variable "${name}" with carryContext`);
}
