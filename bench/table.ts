import type { Row } from './harness.ts';

/** The rows as text: one line a contender, ours first; below, what a reader needs to judge them. */
export function table(rows: readonly Row[]): string {
  const head = ['row', 'contender', 'median', 'unit', 'min', 'max', 'times better', 'cpu s/1000'];
  const body = rows.flatMap(lines);
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((line) => line[column]!.length)));
  const out = [head, widths.map((width) => '-'.repeat(width)), ...body].map((line) => format(line, widths));
  return [...out, '', ...rows.flatMap(footnotes)].join('\n');
}

/** Three significant digits, thousands grouped. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return value === 0 ? '0' : Number(value.toPrecision(3)).toString();
}

function lines(row: Row): string[][] {
  return ['ours', ...Object.keys(row.peers)].map((name) => {
    const median = name === 'ours' ? row.ours : row.peers[name]!;
    const label = name === 'ours' ? row.name : '';
    if (median === null) return [label, name, 'FAILED', '', '', '', '', ''];
    const ratio = row.ratio[name];
    const figures = [row.min[name]!, row.max[name]!].map(figure) as [string, string];
    const better = ratio === undefined ? '' : `${figure(ratio)} x`;
    return [label, name, figure(median), row.unit, ...figures, better, figure(row.cpu[name]!)];
  });
}

function footnotes(row: Row): string[] {
  const settings = Object.entries(row.settings).flatMap(([name, values]) => {
    const list = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    return list.length === 0 ? [] : [`  ${row.name} ${name}: ${list.join(' ')}`];
  });
  const failures = Object.entries(row.failures).map(([name, why]) => `  ${row.name} ${name} FAILED: ${why}`);
  return [...(row.note === undefined ? [] : [`  ${row.name}: ${row.note}`]), ...settings, ...failures];
}

function format(cells: readonly string[], widths: readonly number[]): string {
  const text = cells.map((cell, column) =>
    column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
  );
  return text.join('  ').trimEnd();
}
