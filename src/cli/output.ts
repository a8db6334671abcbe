import { encodeJson } from '../base/json/encode.ts';
import { Typed } from '../base/json/typed.ts';

/** One JSON value on standard output, on a line of its own. */
export function printJson(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

/** A value as people read it: text as it stands, all else as JSON. */
export function plainText(value: unknown): string {
  return typeof value === 'string' ? value : jsonText(value);
}

/**
 * Standard JSON, for tools that are not Celery's: NaN and infinities are null, as in `JSON.stringify`, but bigints are
 * digits, and typed values keep the form in which they travel.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (value instanceof Typed) return record({ __type__: value.type, __value__: value.value });
  if (value instanceof Date || value instanceof Uint8Array) return encodeJson(value);
  return typeof value === 'object' && value !== null ? record(value) : (JSON.stringify(value) ?? 'null');
}

function record(value: object): string {
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}: ${jsonText(item)}`).join(', ')}}`;
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
