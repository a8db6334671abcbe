import type { Command } from 'commander';
import { InvalidArgumentError as BadOption } from 'commander';
import { requireApp, withApp } from './app.ts';
import type { WorkerFlags } from './serve.ts';

/** `simul worker`: runs the tasks of an app until it is told to stop. */
export function worker(program: Command): void {
  workerOptions(
    withApp(program.command('worker').description('run the tasks of an app until SIGTERM or SIGINT')),
  ).action(async (flags: WorkerFlags) => {
    const { serve } = await import('./serve.ts');
    const { app, module } = await requireApp(flags);
    process.exitCode = await serve(app, module, flags);
  });
}

export function workerOptions(command: Command): Command {
  return command
    .option('-Q, --queues <names>', 'queues to consume, separated by commas', list)
    .option('-c, --concurrency <n>', 'tasks at a time', positive)
    .option('-P, --pool <name>', 'where tasks run: async, threads, processes, solo', 'async')
    .option('-n, --hostname <name>', 'name of the node; %h host, %n short host, %d domain')
    .option('-l, --loglevel <level>', 'debug, info, warning, error or critical', 'info')
    .option('--prefetch-multiplier <n>', 'messages claimed for each slot', positive)
    .option('--lease <seconds>', 'after which the tasks of a vanished worker are given to others', seconds)
    .option('--drain-timeout <seconds>', 'how long a warm stop waits for tasks under way', seconds)
    .option('--no-retry', 'stop when the broker cannot be reached, instead of trying again')
    .option('--heartbeat-interval <seconds>', 'between two signs of life; 0 sends none', seconds)
    .option('--log-json', 'one JSON object a line in the log')
    .option('--quiet', 'no banner');
}

function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new BadOption('Names separated by commas are expected.');
  return names;
}

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new BadOption('An integer, 1 or more, is expected.');
  return value;
}

export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new BadOption('A number of seconds, 0 or more, is expected.');
  return value;
}
