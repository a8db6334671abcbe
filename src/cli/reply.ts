import { isRecord } from '../tasks/envelope.ts';
import { plainText } from './output.ts';

/** One worker's answer to a command, as people read it. */
export function showReply(worker: string, value: unknown): void {
  if (isRecord(value) && 'ok' in value) return print(`${worker}: OK ${plainText(value['ok'])}`);
  if (isRefusal(value)) return print(`${worker}: ERROR ${plainText(value.error)}`);
  if (Array.isArray(value) && value.length === 0) return print(`${worker}: none`);
  print(`${worker}:`);
  const lines = Array.isArray(value)
    ? value.map((item) => `- ${plainText(item)}`)
    : isRecord(value)
      ? Object.entries(value).map(([key, item]) => `${key}: ${plainText(item)}`)
      : [plainText(value)];
  for (const line of lines) print(`  ${line}`);
}

/** Whether a worker, ours or Python's, could not or would not do as it was told. */
export function isRefusal(value: unknown): value is { readonly error: unknown } {
  return isRecord(value) && 'error' in value;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
