import { realClock } from '../../../base/clock.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { portions } from '../../redis/portions.ts';
import { runScript } from '../../redis/script.ts';
import { endOfValue } from './json-text.ts';
import type { Layout } from './layout.ts';
import { namesBeginner, readTag, stepOf } from './layout.ts';
import { returnedMessage, routeOf } from './returned-message.ts';
import { buryScript, restoreScript } from './scripts/lease.ts';

/** A consumer as it was seen; while nothing of it changes it may be taken for dead. Without a score: in any case. */
export interface SeenConsumer {
  readonly id: string;
  readonly score: string;
  readonly client: string;
}

/** Claims given back in one step: a few milliseconds of the server's time. */
const chunk = 200;

/** Gives back all claims of a consumer and forgets it; false if it has come back. `lost`: it did not do so itself. */
export async function restoreConsumer(
  connection: RedisConnection,
  layout: Layout,
  consumer: SeenConsumer,
  lost: boolean,
): Promise<boolean> {
  const tags = (await connection.call('SMEMBERS', [layout.claims(consumer.id)])) as string[];
  tags.sort((a, b) => (readTag(a)?.number ?? 0) - (readTag(b)?.number ?? 0));
  const attempted = lost ? await attempts(connection, layout, consumer.id) : none;
  // The newest first, so that the oldest ends up next to be taken.
  for (let end = tags.length; end > 0; end -= chunk) {
    const some = tags.slice(Math.max(0, end - chunk), end);
    if ((await restoreClaims(connection, layout, consumer, some, attempted)) < 0) return false;
  }
  const { id } = consumer;
  const keys = [layout.consumers, layout.consumer(id), layout.claims(id), layout.begun(id)];
  return (await runScript(connection, buryScript, keys, [consumer.id, consumer.score, consumer.client])) === 1;
}

/** Whether work on a claim, by its tag, may have killed its consumer. */
export type Attempted = (tag: string) => boolean;

export const none: Attempted = () => false;

async function attempts(connection: RedisConnection, layout: Layout, consumer: string): Promise<Attempted> {
  if (!namesBeginner(consumer)) return () => true;
  const begun = new Set((await connection.call('SMEMBERS', [layout.begun(consumer)])) as string[]);
  return (tag) => begun.has(tag);
}

/** Gives back some claims in the order of their age; tells how many, or -1 if their consumer has come back. */
export async function restoreClaims(
  connection: RedisConnection,
  layout: Layout,
  consumer: SeenConsumer,
  tags: readonly string[],
  attempted: Attempted,
): Promise<number> {
  const sizes = await Promise.all(tags.map((tag) => connection.call('HSTRLEN', [layout.unacked, tag])));
  const sized = tags.map((tag, i) => ({ tag, size: sizes[i] as number }));
  let restored = 0;
  for (const portion of portions(sized, chunk, ({ size }) => size).reverse()) {
    const some = portion.map(({ tag }) => tag);
    const count = await restorePortion(connection, layout, consumer, some, attempted);
    if (count < 0) return count;
    restored += count;
  }
  return restored;
}

async function restorePortion(
  connection: RedisConnection,
  layout: Layout,
  consumer: SeenConsumer,
  tags: readonly string[],
  attempted: Attempted,
): Promise<number> {
  const values = (await connection.call('HMGET', [layout.unacked, ...tags])) as (string | null)[];
  const lists: string[] = [];
  const args: string[] = [consumer.id, consumer.score, consumer.client];
  for (const [i, tag] of tags.entries()) {
    const { list, text } = await destination(connection, layout, tag, values[i] ?? null, attempted(tag));
    lists.push(list);
    args.push(tag, text);
  }
  const { unacked, unackedIndex, consumers } = layout;
  const keys = [unacked, unackedIndex, consumers, layout.consumer(consumer.id), layout.claims(consumer.id), ...lists];
  return (await runScript(connection, restoreScript, keys, args)) as number;
}

async function destination(
  connection: RedisConnection,
  layout: Layout,
  tag: string,
  value: string | null,
  attempted: boolean,
): Promise<{ list: string; text: string }> {
  // Acknowledged meanwhile: the script finds that out and only tidies up.
  if (value === null) return { list: layout.quarantine, text: '' };
  const ours = readTag(tag);
  const message = value.slice(1, endOfValue(value, 1));
  if (!value.startsWith('[{')) return { list: layout.quarantine, text: setAside(ours?.queue, value) };
  const queue = ours?.queue ?? (await queueOf(connection, layout, message));
  if (queue === undefined) return { list: layout.quarantine, text: setAside(undefined, value) };
  return {
    list: layout.list(queue, ours?.step ?? stepOf(routeOf(message).priority)),
    text: returnedMessage(message, attempted && ours?.delayed !== true),
  };
}

// Where kombu would send it; and to the queue named like the routing key rather than nowhere, as kombu does.
async function queueOf(connection: RedisConnection, layout: Layout, message: string): Promise<string | undefined> {
  const { exchange = '', routingKey } = routeOf(message);
  if (exchange === '') return routingKey;
  const members = (await connection.call('SMEMBERS', [layout.binding(exchange)])) as string[];
  const bindings = members.map((member) => member.split('\x06\x16'));
  const bound =
    bindings.find(([key]) => key === routingKey) ?? bindings.find(([, pattern]) => matches(pattern, routingKey));
  return bound?.[2] ?? routingKey;
}

function matches(pattern: string | undefined, routingKey: string | undefined): boolean {
  if (pattern === undefined || pattern === '') return false;
  try {
    return new RegExp(pattern).test(routingKey ?? '');
  } catch {
    return false;
  }
}

function setAside(queue: string | undefined, text: string): string {
  return JSON.stringify({
    queue: queue ?? '',
    reason: 'a claim that is not one of kombu',
    time: realClock.time(),
    text,
  });
}
