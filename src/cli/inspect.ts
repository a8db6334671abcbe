import type { Command } from 'commander';
import { Argument } from 'commander';
import { Mailbox } from '../tasks/control/mailbox.ts';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { Failure } from './exit.ts';
import { printJson } from './output.ts';
import { isRefusal, showReply } from './reply.ts';
import { names, seconds } from './values.ts';

interface InspectFlags extends AppOptions {
  readonly destination?: string[];
  readonly timeout: number;
  readonly json?: boolean;
}

const methods = {
  ping: 'which workers are there',
  registered: 'the tasks they know',
  active: 'the tasks they run',
  reserved: 'the tasks that wait at them for a slot',
  scheduled: 'the tasks they put off',
  revoked: 'the tasks that are not to start',
  active_queues: 'the queues they consume',
  stats: 'their figures',
  conf: 'their settings',
  query_task: 'where the tasks of these ids are',
};

const explanation = `
All workers are asked, and those that answer in time are shown; with -d it ends as soon as all that are named have answered.
A worker that refuses, or is named and silent, is shown with its error and does not hold up the others.

Exit codes:
  0  every worker that was asked answered
  1  one refused, one that was named with -d did not answer, nobody answered at all, or the broker could not be reached
  2  wrong use`;

/** `simul inspect`: asks the workers of the fleet, ours and Python's. */
export function inspect(program: Command): void {
  const command = withApp(program.command('inspect').description('ask the workers of the fleet'));
  command
    .addArgument(new Argument('<what>', 'one of the questions below').choices(Object.keys(methods)))
    .argument('[ids...]', 'ids of tasks, for query_task')
    .option('-d, --destination <names>', 'only these workers, separated by commas', names)
    .option('-t, --timeout <seconds>', 'how long to wait for answers', seconds, 1)
    .option('--json', 'print one JSON object: the answers by worker')
    .addHelpText('after', `\nQuestions:\n${questions()}\n${explanation}`)
    .action(async (what: keyof typeof methods, ids: string[], flags: InspectFlags) => {
      const { app } = await loadApp(flags);
      try {
        const mailbox = new Mailbox(await app.broker());
        const { destination, timeout } = flags;
        const replies = await mailbox.call(what, what === 'query_task' ? { ids } : {}, { destination, timeout });
        if (replies.size === 0 && destination === undefined)
          throw new Failure(`no worker answered within ${timeout} s`);
        show(replies, destination ?? [], flags);
      } finally {
        await app.close();
      }
    });
}

/** Prints what each worker said, and of each that was named why not. Throws Failure unless all of them answered. */
function show(replies: ReadonlyMap<string, unknown>, named: readonly string[], flags: InspectFlags): void {
  const silent = named.filter((worker) => !replies.has(worker));
  const error = `no answer within ${flags.timeout} s`;
  const answers = [...replies, ...silent.map((worker) => [worker, { error }] as const)];
  if (flags.json === true) printJson(Object.fromEntries(answers));
  else {
    for (const [worker, value] of answers) showReply(worker, value);
    process.stdout.write(`\n${replies.size} ${replies.size === 1 ? 'worker' : 'workers'} answered\n`);
  }
  const failed = answers.filter(([, value]) => isRefusal(value)).map(([worker]) => worker);
  if (failed.length > 0) throw new Failure(`no answer, or a refusal: ${failed.join(', ')}`);
}

function questions(): string {
  return Object.entries(methods)
    .map(([name, text]) => `  ${name.padEnd(14)} ${text}`)
    .join('\n');
}
