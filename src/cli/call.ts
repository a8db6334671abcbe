import type { Command } from 'commander';
import { InvalidArgumentError as BadOption } from 'commander';
import { decodeJson } from '../base/json/decode.ts';
import type { ApplyOptions } from '../tasks/task.ts';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { Failure } from './exit.ts';
import { printJson } from './output.ts';
import { showOutcome } from './outcome.ts';
import { filled, priority, seconds } from './values.ts';

interface CallFlags extends AppOptions {
  readonly kwargs?: Record<string, unknown>;
  readonly queue?: string;
  readonly countdown?: number;
  readonly expires?: number;
  readonly priority?: number;
  readonly id?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** `simul call`: sends a task by name, and waits for its result if asked to. */
export function call(program: Command): void {
  withApp(program.command('call').description('send a task'))
    .argument('<name>', 'name of the task')
    .argument('[args...]', 'arguments: JSON, or else text as it stands')
    .option('--kwargs <json>', 'keyword arguments, a JSON object', kwargs)
    .option('-q, --queue <name>', 'queue', filled)
    .option('--countdown <seconds>', 'not before so many seconds from now', seconds)
    .option('--expires <seconds>', 'not after so many seconds from now', seconds)
    .option('--priority <n>', '0 to 9, 9 first', priority)
    .option('--id <id>', 'id of the task', filled)
    .option('-w, --wait', 'wait for the result')
    .option('--timeout <seconds>', 'with --wait: give up after so many seconds', seconds)
    .option('--json', 'print one JSON object')
    .action(async (name: string, args: string[], flags: CallFlags) => {
      process.exitCode = await send(name, args.map(argument), flags);
    });
}

async function send(name: string, args: unknown[], flags: CallFlags): Promise<number> {
  if (flags.timeout !== undefined && flags.wait !== true) throw new Failure('--timeout is of use with --wait only', 2);
  const { app } = await loadApp(flags);
  try {
    if (/^memory:/i.test(app.brokerUrl))
      throw new Failure(
        'memory:// ends with this command, and the task with it: name a broker that a worker shares',
        2,
      );
    if (flags.app !== undefined && !app.tasks.has(name)) {
      const known = [...app.tasks.keys()].join(', ') || 'none';
      throw new Failure(`${flags.app} has no task "${name}"; it has: ${known}`, 2);
    }
    const result = await app.sendTask(name, args, applyOptions(flags));
    if (flags.wait === true) return await showOutcome(result, flags);
    if (flags.json === true) printJson({ id: result.id, state: 'PENDING', result: null });
    else process.stdout.write(`${result.id}\n`);
    return 0;
  } finally {
    await app.close();
  }
}

function applyOptions(flags: CallFlags): ApplyOptions {
  const { kwargs, queue, countdown, expires, priority } = flags;
  return {
    ...(kwargs === undefined ? {} : { kwargs }),
    ...(queue === undefined ? {} : { queue }),
    ...(countdown === undefined ? {} : { countdown }),
    ...(expires === undefined ? {} : { expires }),
    ...(priority === undefined ? {} : { priority }),
    ...(flags.id === undefined ? {} : { taskId: flags.id }),
  };
}

function argument(text: string): unknown {
  try {
    return decodeJson(text);
  } catch {
    return text;
  }
}

function kwargs(text: string): Record<string, unknown> {
  const value = argument(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadOption('A JSON object is expected.');
  return value as Record<string, unknown>;
}
