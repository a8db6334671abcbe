#!/usr/bin/env node
import { messageOf } from '../base/error-text.ts';
import { version } from '../base/version.ts';
import { Command, CommanderError } from 'commander';
import { InvalidArgumentError } from '../base/errors.ts';
import { exitCodes, Failure, usage } from './exit.ts';
import { endWith, tellOfUnsettled } from './end.ts';
import { ignoreClosedPipes } from './closed-pipe.ts';

// Each command's code is loaded when it runs: `simul --help` and `simul call` must not pay for a worker.
const program = new Command('simul')
  .description('Tasks and workers, from one process to a fleet.')
  .version(version)
  .exitOverride()
  // `simul run` hands what stands behind the script on to it.
  .enablePositionalOptions()
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
  (await import('./certs.ts')).certs,
  (await import('./doctor.ts')).doctor,
  (await import('./demo/command.ts')).demoCommand,
]) {
  register(program);
}

ignoreClosedPipes();
const unsettled = tellOfUnsettled();
const code = await run();
unsettled();
await endWith(code);

async function run(): Promise<number> {
  try {
    refuseHelpOnNothing(process.argv[2], process.argv[3]);
    await program.parseAsync(process.argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const code = exitCodeOf(error);
    // The parser has told its errors itself, and shows all of the help where no command is named.
    if (!(error instanceof CommanderError)) tell(error);
    if (error instanceof Failure && error.atOnce) process.exit(code);
    if (code === 2 && (error as CommanderError).code !== 'commander.help') process.stderr.write(usage(commandNamed()));
    return code;
  }
}

// The parser would show all of the help without a word.
function refuseHelpOnNothing(help: string | undefined, name: string | undefined): void {
  if (help !== 'help' || name === undefined || name === 'help') return;
  if (!program.commands.some((command) => command.name() === name)) program.error(`error: unknown command '${name}'`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Failure) return error.exitCode;
  return error instanceof InvalidArgumentError ? 2 : 1;
}

function tell(error: unknown): void {
  process.stderr.write(`simul: ${messageOf(error)}\n`);
  if (process.env['SIMUL_DEBUG']) console.error(error);
}

/** The first argument names it: the program itself has no options that take a value. */
function commandNamed(): Command {
  return program.commands.find((command) => command.name() === process.argv[2]) ?? program;
}
