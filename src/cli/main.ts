#!/usr/bin/env node
import { messageOf } from '../base/error-text.ts';
import { version } from '../base/version.ts';
import { Command, CommanderError } from 'commander';
import { InvalidArgumentError } from '../base/errors.ts';
import { exitCodes, Failure } from './exit.ts';

// Each command's code is loaded when it runs: `simul --help` and `simul call` must not pay for a worker.
const program = new Command('simul')
  .description('Tasks and workers, from one process to a fleet.')
  .version(version)
  .exitOverride()
  // `simul run` hands what stands behind the script on to it.
  .enablePositionalOptions()
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: true })
  .addHelpText('after', exitCodes);

for (const register of [
  (await import('./run.ts')).run,
  (await import('./worker.ts')).worker,
  (await import('./up.ts')).up,
  (await import('./call.ts')).call,
  (await import('./result.ts')).result,
  (await import('./status.ts')).status,
  (await import('./inspect.ts')).inspect,
  (await import('./purge.ts')).purge,
  (await import('./doctor.ts')).doctor,
  (await import('./demo/command.ts')).demoCommand,
]) {
  register(program);
}

process.exitCode = await run();

async function run(): Promise<number> {
  try {
    await program.parseAsync(process.argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Failure) {
      process.stderr.write(`simul: ${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(`simul: ${messageOf(error)}\n`);
    if (process.env['SIMUL_DEBUG']) console.error(error);
    return error instanceof InvalidArgumentError ? 2 : 1;
  }
}
