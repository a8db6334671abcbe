import type { Command } from 'commander';
import { requireApp, withApp } from './app.ts';
import type { WorkerFlags } from './serve.ts';
import { workerOptions } from './worker.ts';

/** `simul up`: everything an app needs, in one process, on the embedded broker unless the app or a flag names another. */
export function up(program: Command): void {
  workerOptions(withApp(program.command('up').description('all in one: a worker on the embedded broker'))).action(
    async (flags: WorkerFlags) => {
      const { serve } = await import('./serve.ts');
      (await import('./again.ts')).adoptChildren();
      const { app, module } = await requireApp(flags);
      process.exitCode = await serve(app, module, flags);
    },
  );
}
