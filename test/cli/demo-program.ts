// `simul demo` alone, as the command line registers it.
import { Command } from 'commander';
import { demo, demoOptions } from '../../src/cli/demo.ts';

const command = new Command('demo').exitOverride();
for (const { flags, description, value } of demoOptions) command.option(flags, description, value);
command.action(async (options: Record<string, unknown>) => {
  process.exitCode = await demo(options);
});
await command.parseAsync();
