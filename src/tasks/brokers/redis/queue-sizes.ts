import type { QueueSize } from '../../broker.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { endOfValue } from './json-text.ts';
import type { Layout } from './layout.ts';
import { readTag, separator } from './layout.ts';
import { routeOf } from './returned-message.ts';

/** Sizes of the named queues, or of all that anybody has sent to. */
export async function queueSizes(
  connection: RedisConnection,
  layout: Layout,
  queues?: readonly string[],
): Promise<QueueSize[]> {
  const names = queues ?? (await boundQueues(connection, layout));
  const claimed = await claimedByQueue(connection, layout);
  return Promise.all(
    names.map(async (queue) => {
      const lengths = layout.lists([queue]).map((list) => connection.call('LLEN', [list]));
      const [delayed, ...waiting] = (await Promise.all([
        connection.call('ZCARD', [layout.delayed(queue)]),
        ...lengths,
      ])) as number[];
      return {
        queue,
        waiting: waiting.reduce((sum, length) => sum + length, 0),
        delayed: delayed!,
        claimed: claimed.get(queue) ?? 0,
      };
    }),
  );
}

async function boundQueues(connection: RedisConnection, layout: Layout): Promise<string[]> {
  const queues = new Set<string>();
  const pattern = `${layout.binding('').replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  for (let cursor = '0'; ;) {
    const answer = await connection.call('SCAN', [cursor, 'MATCH', pattern, 'COUNT', 1000, 'TYPE', 'set']);
    const [next, keys] = answer as [string, string[]];
    const bindings = keys.filter((key) => !/\.(?:reply\.)?[^.]*\.?pidbox$|\.celeryev$/.test(key));
    const members = await Promise.all(bindings.map((key) => connection.call('SMEMBERS', [key])));
    for (const member of members.flat() as string[]) {
      const queue = member.split(separator)[2];
      if (queue !== undefined && queue !== '') queues.add(queue);
    }
    if (next === '0') return [...queues].sort();
    cursor = next;
  }
}

async function claimedByQueue(connection: RedisConnection, layout: Layout): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let cursor = '0'; ;) {
    const answer = await connection.call('ZSCAN', [layout.unackedIndex, cursor, 'COUNT', 1000]);
    const [next, rows] = answer as [string, string[]];
    for (const queue of await queuesOf(
      connection,
      layout,
      rows.filter((_, i) => i % 2 === 0),
    )) {
      counts.set(queue, (counts.get(queue) ?? 0) + 1);
    }
    if (next === '0') return counts;
    cursor = next;
  }
}

async function queuesOf(connection: RedisConnection, layout: Layout, tags: readonly string[]): Promise<string[]> {
  const foreign = tags.filter((tag) => readTag(tag) === undefined);
  const ours = tags.flatMap((tag) => readTag(tag) ?? []).filter(({ delayed }) => !delayed);
  if (foreign.length === 0) return ours.map(({ queue }) => queue);
  const values = (await connection.call('HMGET', [layout.unacked, ...foreign])) as (string | null)[];
  const theirs = values.flatMap((value) =>
    value === null ? [] : [routeOf(value.slice(1, endOfValue(value, 1))).routingKey ?? ''],
  );
  return [...ours.map(({ queue }) => queue), ...theirs];
}
