import type { Command } from 'commander';
import { printJson, printTable } from './output.ts';
import { filled } from './values.ts';

/** `simul doctor`: what works on this machine, tier by tier. */
export function doctor(program: Command): void {
  program
    .command('doctor')
    .description('what works on this machine, tier by tier')
    .option('-b, --broker <url>', 'a server to try as well (the one of SIMUL_BROKER_URL)', filled)
    .option('--json', 'print one JSON object')
    .action(async (flags: { broker?: string; json?: boolean }) => {
      const { examine } = await import('./doctor/examine.ts');
      const findings = await examine(flags.broker ?? (process.env['SIMUL_BROKER_URL'] || undefined));
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
