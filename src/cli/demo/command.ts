import type { Command } from 'commander';
import { usage } from '../exit.ts';
import { demoOptions } from './settings.ts';

/** `simul demo`: a chess master plays many boards, in every way this library can run them. */
export function demoCommand(program: Command): void {
  const command = program.command('demo').description('a chess master plays 24 boards, one by one and at once');
  for (const { flags, description, value } of demoOptions) command.option(flags, description, value);
  command.action(async (options: Record<string, unknown>) => {
    const { demo } = await import('../demo.ts');
    const code = await demo(options);
    if (code === 2) process.stderr.write(usage(command));
    process.exitCode = code;
  });
}
