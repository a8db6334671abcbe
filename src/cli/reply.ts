import { encodeJson } from '../base/json/encode.ts';
import { isRecord } from '../tasks/envelope.ts';

/** One worker's answer to a command, as people read it. */
export function showReply(worker: string, value: unknown): void {
  if (isRecord(value) && 'ok' in value) return print(`${worker}: OK ${text(value['ok'])}`);
  if (isRecord(value) && 'error' in value) return print(`${worker}: ERROR ${text(value['error'])}`);
  if (Array.isArray(value) && value.length === 0) return print(`${worker}: none`);
  print(`${worker}:`);
  const lines = Array.isArray(value)
    ? value.map((item) => `- ${text(item)}`)
    : isRecord(value)
      ? Object.entries(value).map(([key, item]) => `${key}: ${text(item)}`)
      : [text(value)];
  for (const line of lines) print(`  ${line}`);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : encodeJson(value);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
