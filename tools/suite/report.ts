import { writeFileSync } from 'node:fs';
import type { FileResult } from './run-file.ts';

export interface NamedResult extends FileResult {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
}

export interface SuiteReport {
  readonly node: string;
  readonly results: readonly NamedResult[];
  /** Failures of the run that belong to no file. */
  readonly faults: readonly string[];
  /** Suites that were not run, with the reason. */
  readonly notRun: readonly string[];
}

/** One line of a finished file. */
export function fileLine({ name, passed, failed, skips, seconds }: NamedResult): string {
  const counts = `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}${skips.length > 0 ? `, ${skips.length} skipped` : ''}`;
  return `${failed > 0 ? '✗' : '✓'} ${name.padEnd(36)} ${counts.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s`;
}

/** What follows the files' lines: failures in full, what was not run, and the counts as the last line. */
export function closing(report: SuiteReport): string {
  const failures = report.results.filter((result) => result.failed > 0).map(failureText);
  const skips = report.results.flatMap(({ name, skips }) => skips.map((skip) => `skipped: ${name}: ${skip}`));
  const lines = [
    ...failures,
    ...skips,
    ...report.notRun.map((line) => `not run: ${line}`),
    ...report.faults.map((fault) => `FAILED: ${fault}`),
    countsLine(totals(report)),
  ];
  return lines.join('\n');
}

function failureText({ name, faults, output }: NamedResult): string {
  const shown = output.trimEnd();
  return [
    `\n──── ${name} ────`,
    ...(shown === '' ? [] : [shown]),
    ...faults.map((fault) => `FAILED: ${fault}`),
    '',
  ].join('\n');
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function totals({ results, faults }: SuiteReport): Totals {
  return {
    passed: sum(results, ({ passed }) => passed),
    failed: sum(results, ({ failed }) => failed) + faults.length,
    skipped: sum(results, ({ skips }) => skips.length),
  };
}

export function countsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** The report as data, without the output of files that passed. */
export function writeReport(path: string, report: SuiteReport): void {
  const files = report.results.map((result) => ({ ...result, output: result.failed > 0 ? result.output : undefined }));
  writeFileSync(path, `${JSON.stringify({ ...totals(report), ...report, results: files }, undefined, 2)}\n`);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
