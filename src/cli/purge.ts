import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { Failure } from './exit.ts';
import { printJson } from './output.ts';
import { names } from './values.ts';

interface PurgeFlags extends AppOptions {
  readonly queues?: string[];
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `simul purge`: deletes what waits in queues. */
export function purge(program: Command): void {
  withApp(program.command('purge').description('delete the waiting messages of queues; there is no way back'))
    .option('-Q, --queues <names>', "queues, separated by commas (the app's default queue)", names)
    .option('-f, --force', 'do not ask')
    .option('--json', 'print one JSON object')
    .action(async (flags: PurgeFlags) => {
      const { app } = await loadApp(flags);
      try {
        const queues = flags.queues ?? [app.defaultQueue];
        if (flags.force !== true) await confirm(queues);
        const broker = await app.broker();
        const deleted: Record<string, number> = {};
        for (const queue of queues) deleted[queue] = await broker.purge(queue);
        if (flags.json === true) return printJson({ deleted });
        for (const [queue, count] of Object.entries(deleted))
          process.stdout.write(`${queue}: ${count} messages deleted\n`);
      } finally {
        await app.close();
      }
    });
}

async function confirm(queues: readonly string[]): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Failure('purge deletes messages for good: say --force where nobody can be asked', 2);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Delete everything that waits in ${queues.join(', ')}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('nothing deleted');
  } finally {
    prompt.close();
  }
}
