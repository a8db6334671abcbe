import { objectMembers, setMember } from './json-text.ts';

// Beside kombu's own `redelivered`, where every reader of a message leaves what it does not know alone.
const countKey = 'simul_deliveries';

/** What a message says of its past. */
export interface DeliveryRecord {
  readonly redelivered: boolean;
  /** How often it has been handed out and its consumer did not live to settle it. */
  readonly lost: number;
}

const fresh: DeliveryRecord = { redelivered: false, lost: 0 };

export function deliveryRecord(text: string): DeliveryRecord {
  // Most messages are new and are not searched any further.
  if (!text.includes('"redelivered"')) return fresh;
  const info = deliveryInfo(text);
  const flag = member(text, member(text, 0, 'headers')?.start, 'redelivered');
  const lost = Number(value(text, member(text, info, countKey)) ?? 0);
  const redelivered = [flag, member(text, info, 'redelivered')].some((one) => value(text, one) === 'true');
  return { redelivered, lost: Number.isSafeInteger(lost) && lost > 0 ? lost : 0 };
}

/**
 * The message as kombu gives one back: marked in its headers and in its delivery info, the rest to the byte as it was,
 * since numbers would not survive being read and written. `lost` says that its consumer did not live to settle it.
 */
export function returnedMessage(text: string, lost: boolean): string {
  let out = text;
  const headers = member(out, 0, 'headers');
  if (headers === undefined || out[headers.start] !== '{') out = setMember(out, 0, 'headers', '{"redelivered": true}');
  else out = setMember(out, headers.start, 'redelivered', 'true');
  const info = deliveryInfo(out);
  if (info === undefined) return out;
  out = setMember(out, info, 'redelivered', 'true');
  return lost ? setMember(out, info, countKey, String(deliveryRecord(text).lost + 1)) : out;
}

/** Where kombu would send it: exchange and routing key, as far as it names them, and its priority. */
export function routeOf(text: string): { exchange?: string; routingKey?: string; priority?: number } {
  const info = deliveryInfo(text);
  const properties = member(text, 0, 'properties')?.start;
  const priority = Number(value(text, member(text, properties, 'priority')));
  return {
    ...string('exchange', value(text, member(text, info, 'exchange'))),
    ...string('routingKey', value(text, member(text, info, 'routing_key'))),
    ...(Number.isFinite(priority) ? { priority } : {}),
  };
}

function deliveryInfo(text: string): number | undefined {
  const info = member(text, member(text, 0, 'properties')?.start, 'delivery_info')?.start;
  return info !== undefined && text[info] === '{' ? info : undefined;
}

function member(text: string, at: number | undefined, key: string) {
  return at === undefined ? undefined : objectMembers(text, at)?.findLast((one) => one.key === key);
}

function value(text: string, at: { start: number; end: number } | undefined): string | undefined {
  return at === undefined ? undefined : text.slice(at.start, at.end);
}

function string<K extends string>(name: K, json: string | undefined): { [key in K]?: string } {
  if (json === undefined || !json.startsWith('"')) return {};
  return { [name]: JSON.parse(json) as string } as { [key in K]?: string };
}
