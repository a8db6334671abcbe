import type { Command } from 'commander';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { errorFields, printJson } from './output.ts';
import { showOutcome } from './outcome.ts';
import { seconds } from './worker.ts';

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
    .option('--timeout <seconds>', 'give up waiting after so many seconds', seconds)
    .option('--forget', 'delete the stored result')
    .option('--revoke', 'have it not started any more')
    .option('--terminate', 'with --revoke: tell it to stop if it runs')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: ResultFlags) => {
      const { app } = await loadApp(flags);
      try {
        process.exitCode = await show(app.AsyncResult(id), flags);
      } finally {
        await app.close();
      }
    });
}

async function show(handle: ReturnType<Awaited<ReturnType<typeof loadApp>>['app']['AsyncResult']>, flags: ResultFlags) {
  if (flags.revoke === true) await handle.revoke({ terminate: flags.terminate === true });
  if (flags.wait === true) return await showOutcome(handle, flags);
  const state = await handle.status();
  const value = await handle.result();
  if (flags.forget === true) await handle.forget();
  if (flags.json === true) {
    const detail = value instanceof Error ? { result: null, error: errorFields(value) } : { result: value ?? null };
    printJson({ id: handle.id, state, ...detail });
  } else {
    const text =
      value instanceof Error ? `${value.name}: ${value.message}` : value === undefined ? '' : JSON.stringify(value);
    process.stdout.write(`${state}${text === '' ? '' : ` ${text}`}\n`);
  }
  return 0;
}
