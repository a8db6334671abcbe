import type { Command } from 'commander';
import { printJson, printTable } from './output.ts';

/** `simul doctor`: what works on this machine, tier by tier. */
export function doctor(program: Command): void {
  program
    .command('doctor')
    .description('what works on this machine, tier by tier')
    .option('--json', 'print one JSON object')
    .action(async (flags: { json?: boolean }) => {
      const { examine } = await import('./examine.ts');
      const findings = await examine();
      const broken = findings.some((finding) => finding.state === 'broken');
      if (flags.json === true) printJson({ ok: !broken, findings });
      else
        printTable(
          ['tier', 'part', 'state', 'detail'],
          findings.map((f) => [f.tier, f.part, f.state, f.detail]),
        );
      process.exitCode = broken ? 1 : 0;
    });
}
