import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceStack } from '../../../src/base/dispose.ts';
import { uuid } from '../../../src/base/ids.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import type { BackendLab } from '../../../src/testing/backend-conformance.ts';
import type { BrokerLab } from '../../../src/testing/broker-lab.ts';
import { startRedis } from '../../support/redis.ts';
import type { RunningServer } from '../../support/server.ts';

/** A place for one behaviour, and what has to be released afterwards. */
export interface Place extends AsyncDisposable {
  readonly broker: BrokerLab;
  readonly backend: BackendLab;
}

export const places: Record<string, () => Place> = {
  memory: () => {
    const { broker, ...rest } = place([`memory://${uuid()}`], new ResourceStack());
    return { ...rest, broker: { ...broker, lossless: true } };
  },
  sqlite: () => {
    const stack = new ResourceStack();
    const directory = mkdtempSync(join(tmpdir(), 'simul-conformance-'));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'queue.db');
    return place([`sqlite://${path}`], stack, async (queue, text) => putText(path, queue, text));
  },
  // Handles by turns under another name of the file, and so with a thread and a connection of their own, as in another
  // process.
  'sqlite, two connections': () => {
    const stack = new ResourceStack();
    const directory = mkdtempSync(join(tmpdir(), 'simul-conformance-'));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const [real, alias] = [join(directory, 'real'), join(directory, 'alias')];
    mkdirSync(real);
    symlinkSync(real, alias);
    const urls = [real, alias].map((name) => `sqlite://${join(name, 'queue.db')}`);
    return place(urls, stack, async (queue, text) => putText(join(real, 'queue.db'), queue, text));
  },
  redis: () => place([redisUrl(uuid())], new ResourceStack()),
  // Handles by turns under another URL, and so with connections and a thread of their own.
  'redis, two connections': () => {
    const prefix = uuid();
    return place([redisUrl(prefix), redisUrl(prefix, '&retry_timeout=6')], new ResourceStack());
  },
};

let redis: Promise<RunningServer> | undefined;

// Each place has keys of its own. What is no JSON object never leaves Redis, so nothing puts text into it here.
async function redisUrl(prefix: string, more = ''): Promise<string> {
  const { host, port } = await (redis ??= startRedis());
  return `redis://${host}:${port}?global_keyprefix=${prefix}:${more}`;
}

/** Ends the servers that the places started. */
export async function stopServers(): Promise<void> {
  await (await redis)?.stop();
}

function place(
  urls: readonly (string | Promise<string>)[],
  stack: ResourceStack,
  putText?: BrokerLab['putText'],
): Place {
  let opened = 0;
  const next = () => urls[opened++ % urls.length]!;
  return {
    broker: {
      open: async () => stack.own(await openBroker(await next()), (broker) => broker.close()),
      ...(putText === undefined ? {} : { putText }),
    },
    backend: {
      open: async (options) => stack.own(await openBackend(await next(), options), (backend) => backend.close()),
    },
    [Symbol.asyncDispose]: () => stack.dispose(),
  };
}

/** As someone would with the `sqlite3` program. */
export function putText(path: string, queue: string, text: string): void {
  const db = loadSqlite().open(path);
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE');
  const [row] = db
    .prepare('INSERT INTO messages (id, text) SELECT 1000000 + count(*), ? FROM messages RETURNING id')
    .all([text]);
  db.prepare('INSERT INTO ready (queue, rank, id) VALUES (?, 9, ?)').run([queue, Number(row!['id'])]);
  db.exec('COMMIT');
  db.close();
}
