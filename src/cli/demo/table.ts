import type { Exhibition } from '../../exhibition/exhibition.ts';
import { differing } from '../../exhibition/exhibition.ts';
import type { DemoSettings } from './settings.ts';

/** The exhibitions as text: simulated time, real time, and how many times sooner than one board after another. */
export function exhibitionTable(exhibitions: readonly Exhibition[], settings: DemoSettings): string {
  const { boards, moves, master, opponent, pgn } = settings;
  const sequential = exhibitions.find(({ name }) => name === 'sequential')?.simulatedSeconds;
  const rows = exhibitions.map((exhibition) => cells(exhibition, sequential));
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [
    `A chess master plays ${boards} opponents, ${moves} moves each: ${master} s a move, an opponent ${opponent} s.`,
    '',
    ...[head, ...rows].map((row) => row.map((cell, column) => pad(cell, widths[column]!, column)).join('  ')),
    '',
    `${boards} games${sameness(exhibitions)}: ${pgn}`,
  ].join('\n');
}

const head = ['mode', 'masters', 'simulated', '', 'speed-up', 'real'];

function cells({ name, masters, simulatedSeconds, realSeconds }: Exhibition, sequential: number | undefined): string[] {
  const faster =
    sequential === undefined || simulatedSeconds === 0 ? '-' : `${(sequential / simulatedSeconds).toFixed(1)} x`;
  const seconds = `${simulatedSeconds.toLocaleString('en')} s`;
  return [name, String(masters), hours(simulatedSeconds), seconds, faster, `${realSeconds.toFixed(2)} s`];
}

function sameness(exhibitions: readonly Exhibition[]): string {
  if (exhibitions.length < 2) return '';
  return differing(exhibitions).length === 0 ? ', the same in every mode' : ', NOT the same in every mode';
}

function hours(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
