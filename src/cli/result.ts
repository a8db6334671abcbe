import type { Command } from 'commander';
import type { AsyncResult } from '../tasks/result.ts';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { Failure } from './exit.ts';
import { errorFields, jsonText, printJson } from './output.ts';
import { showOutcome } from './outcome.ts';
import { seconds } from './values.ts';

interface ResultFlags extends AppOptions {
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
  readonly forget?: boolean;
  readonly revoke?: boolean;
  readonly terminate?: boolean;
}

/** `simul result`: what is known of a task that was sent. */
export function result(program: Command): void {
  withApp(program.command('result').description('show, wait for, forget or revoke the result of a task'))
    .argument('<id>', 'id of the task')
    .option('-w, --wait', 'wait until it has ended')
    .option('--timeout <seconds>', 'with --wait: give up after so many seconds', seconds)
    .option('--forget', 'delete the stored result')
    .option('--revoke', 'have it not started any more')
    .option('--terminate', 'with --revoke: tell it to stop if it runs')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: ResultFlags) => {
      checkTogether(flags);
      const { app } = await loadApp(flags);
      try {
        process.exitCode = await show(app.AsyncResult(id), flags);
      } finally {
        await app.close();
      }
    });
}

function checkTogether({ wait, timeout, forget, revoke, terminate }: ResultFlags): void {
  if (timeout !== undefined && wait !== true) throw new Failure('--timeout is of use with --wait only', 2);
  if (terminate === true && revoke !== true) throw new Failure('--terminate is of use with --revoke only', 2);
  // The record is what tells the workers.
  if (forget === true && revoke === true) throw new Failure('--forget would undo --revoke', 2);
}

async function show(handle: AsyncResult, flags: ResultFlags): Promise<number> {
  if (flags.revoke === true) await handle.revoke({ terminate: flags.terminate === true });
  const code = flags.wait === true ? await showOutcome(handle, flags) : await showState(handle, flags);
  if (flags.forget === true) await handle.forget();
  return code;
}

async function showState(handle: AsyncResult, flags: ResultFlags): Promise<number> {
  const state = await handle.status();
  const value = await handle.result();
  if (flags.json === true) {
    const detail = value instanceof Error ? { result: null, error: errorFields(value) } : { result: value ?? null };
    printJson({ id: handle.id, state, ...detail });
  } else {
    const text =
      value instanceof Error ? `${value.name}: ${value.message}` : value === undefined ? '' : jsonText(value);
    process.stdout.write(`${state}${text === '' ? '' : ` ${text}`}\n`);
  }
  return 0;
}
