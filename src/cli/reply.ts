import { isRecord } from '../tasks/envelope.ts';
import { plainText } from './output.ts';

/** One worker's answer to a command, as people read it. */
export function showReply(worker: string, value: unknown): void {
  if (isRecord(value) && 'ok' in value) return print(`${worker}: OK ${plainText(value['ok'])}`);
  if (isRecord(value) && 'error' in value) return print(`${worker}: ERROR ${plainText(value['error'])}`);
  if (Array.isArray(value) && value.length === 0) return print(`${worker}: none`);
  print(`${worker}:`);
  const lines = Array.isArray(value)
    ? value.map((item) => `- ${plainText(item)}`)
    : isRecord(value)
      ? Object.entries(value).map(([key, item]) => `${key}: ${plainText(item)}`)
      : [plainText(value)];
  for (const line of lines) print(`  ${line}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
