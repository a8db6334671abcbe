import { encodeJson } from '../base/json/encode.ts';

/** One JSON value on standard output, on a line of its own. */
export function printJson(value: unknown): void {
  process.stdout.write(`${encodeJson(value)}\n`);
}

/** Rows under their headings, columns aligned. */
export function printTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  for (const row of cells)
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}\n`,
    );
}

/** A task's error as `--json` shows it. */
export function errorFields(error: unknown): { type: string; message: string } {
  return error instanceof Error
    ? { type: error.name, message: error.message }
    : { type: 'Error', message: String(error) };
}
