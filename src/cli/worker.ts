import type { Command } from 'commander';
import { Option } from 'commander';
import { requireApp, withApp } from './app.ts';
import type { WorkerFlags } from './serve.ts';
import { filled, names, positive, seconds } from './values.ts';

/** `simul worker`: runs the tasks of an app until it is told to stop. */
export function worker(program: Command): void {
  workerOptions(
    withApp(program.command('worker').description('run the tasks of an app until SIGTERM or SIGINT')),
  ).action(async (flags: WorkerFlags) => {
    const { serve } = await import('./serve.ts');
    (await import('./again.ts')).adoptChildren();
    const { app, module } = await requireApp(flags);
    process.exitCode = await serve(app, module, flags);
  });
}

// Spelled out here, so that `simul --help` loads neither the worker nor its log; the types of WorkerFlags hold them.
const pools: readonly WorkerFlags['pool'][] = ['async', 'threads', 'processes', 'prefork', 'solo'];
const levels: readonly WorkerFlags['loglevel'][] = ['debug', 'info', 'warning', 'error', 'critical'];

export function workerOptions(command: Command): Command {
  return command
    .option('-Q, --queues <names>', 'queues to consume, separated by commas', names)
    .option('-c, --concurrency <n>', 'tasks at a time', positive)
    .addOption(new Option('-P, --pool <name>', 'where tasks run').choices(pools).default('async'))
    .option('-n, --hostname <name>', 'name of the node; %h host, %n short host, %d domain', filled)
    .addOption(new Option('-l, --loglevel <level>', 'what is logged').choices(levels).default('info'))
    .option('--prefetch-multiplier <n>', 'messages claimed for each slot', positive)
    .option('--lease <seconds>', 'after which the tasks of a vanished worker are given to others', seconds)
    .option('--drain-timeout <seconds>', 'how long a warm stop waits for tasks under way', seconds)
    .option('--no-retry', 'end with code 1 as soon as broker or result backend fail, instead of trying again')
    .option('--heartbeat-interval <seconds>', 'between two signs of life; 0 sends none', seconds)
    .option('--log-json', 'one JSON object a line in the log')
    .option('--quiet', 'no banner');
}
