import type { Command } from 'commander';
import { printable } from '../base/printable.ts';
import { redactUrl } from '../tasks/url.ts';
import type { AppOptions } from './app.ts';
import { loadApp, withApp } from './app.ts';
import { printJson, printTable } from './output.ts';

interface StatusFlags extends AppOptions {
  readonly quarantine?: boolean;
  readonly json?: boolean;
}

/** `simul status`: how much waits in which queue, and what was set aside. */
export function status(program: Command): void {
  withApp(program.command('status').description('the queues, and what was set aside'))
    .option('--quarantine', 'show the messages that were set aside')
    .option('--json', 'print one JSON object')
    .action(async (flags: StatusFlags) => {
      const { app } = await loadApp(flags);
      try {
        const broker = await app.broker();
        const [queues, quarantine] = await Promise.all([broker.sizes(), broker.quarantined(100)]);
        if (flags.json === true) return printJson({ broker: redactUrl(app.brokerUrl), queues, quarantine });
        process.stdout.write(`broker ${redactUrl(app.brokerUrl)}\n\n`);
        printTable(
          ['queue', 'waiting', 'delayed', 'claimed'],
          queues.map((q) => [q.queue, q.waiting, q.delayed, q.claimed]),
        );
        process.stdout.write(`\nset aside: ${quarantine.length === 100 ? '100 or more' : quarantine.length}\n`);
        if (flags.quarantine === true) {
          for (const one of quarantine) {
            process.stdout.write(
              `\n${new Date(one.time * 1000).toISOString()} ${printable(`${one.queue} ${one.id ?? 'no id'}: ${one.reason}`)}\n  ${printable(one.text.slice(0, 2000))}\n`,
            );
          }
        }
      } finally {
        await app.close();
      }
    });
}
