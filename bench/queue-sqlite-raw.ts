// The embedded broker and result backend alone, without app and worker. Run: node dist/bench/queue-sqlite-raw.js [count]
import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { uuid } from '../src/base/ids.ts';
import type { Backend } from '../src/tasks/backend.ts';
import type { Broker, OutgoingMessage } from '../src/tasks/broker.ts';
import { openBackend, openBroker } from '../src/tasks/registry.ts';
import { loadSqlite } from '../src/tasks/sqlite/driver.ts';

export interface RawRow {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Processor time as a share of the real time; above 1 with several threads. */
  readonly cpu: number;
}

/** One run over a fresh database; every message and result is counted. */
export async function measureRaw(count: number): Promise<RawRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'simul-bench-'));
  const url = `sqlite://${join(directory, 'queue.db')}`;
  try {
    await using broker = await openBroker(url);
    await using backend = await openBackend(url);
    return [
      await publishBulk(broker, count),
      await receiveAll(broker, count),
      await publishSingly(broker, count / 10),
      await storeBulk(backend, count),
      ...(await roundTrips(broker, backend, url)),
      await idle(broker, backend),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function publishBulk(broker: Broker, count: number): Promise<RawRow> {
  return rate('publish, 500 a call, 4 calls under way', count, () =>
    concurrently(4, count / 500, () => broker.publish(Array.from({ length: 500 }, () => message()))),
  );
}

async function publishSingly(broker: Broker, count: number): Promise<RawRow> {
  const row = await rate('publish, 1 a call, 100 calls under way', count, () =>
    concurrently(100, count, () => broker.publish([message()])),
  );
  if ((await broker.purge('q')) !== count) throw new Error('messages were lost');
  return row;
}

async function receiveAll(broker: Broker, count: number): Promise<RawRow> {
  await using consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'bench' });
  return await rate('receive and acknowledge', count, async () => {
    let settled = 0;
    const acknowledgements: Promise<void>[] = [];
    for (let received = 0; received < count;) {
      const deliveries = await consumer.receive(500);
      received += deliveries.length;
      acknowledgements.push(
        consumer.acknowledge(deliveries).then((held) => {
          settled += held.filter(Boolean).length;
        }),
      );
    }
    await Promise.all(acknowledgements);
    if (settled !== count) throw new Error(`${settled} of ${count} settled`);
  });
}

async function storeBulk(backend: Backend, count: number): Promise<RawRow> {
  const ids = Array.from({ length: count }, uuid);
  const row = await rate('store, 500 a call, 4 calls under way', count, () => {
    let next = 0;
    return concurrently(4, count / 500, () => backend.store(ids.slice(next, (next += 500)).map(result)));
  });
  const found = await backend.fetch(ids);
  if (found.some((each) => each === undefined)) throw new Error('results were lost');
  return row;
}

/** Publish here, receive and store in another process, wait here; one at a time. */
async function roundTrips(broker: Broker, backend: Backend, url: string): Promise<RawRow[]> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--answer', url], { stdio: 'inherit' });
  try {
    const times: number[] = [];
    const start = process.cpuUsage();
    const begun = performance.now();
    for (let i = 0; i < 1100; i++) {
      const id = uuid();
      const sent = performance.now();
      const waiting = backend.wait(id);
      await broker.publish([message(id)]);
      await waiting;
      times.push(performance.now() - sent);
    }
    const cpu = share(start, begun);
    const sorted = times.slice(100).sort((a, b) => a - b);
    const at = (q: number) => sorted[Math.floor(sorted.length * q)]!;
    return [
      { name: 'publish to result, two processes, p50', unit: 'ms', value: at(0.5), cpu },
      { name: 'publish to result, two processes, p99', unit: 'ms', value: at(0.99), cpu },
    ];
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

async function answer(url: string): Promise<void> {
  const broker = await openBroker(url);
  const backend = await openBackend(url);
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'bench' });
  for (;;) {
    const deliveries = await consumer.receive(10);
    await backend.store(deliveries.map((delivery) => result(String(delivery.envelope().headers['id']))));
    await consumer.acknowledge(deliveries);
  }
}

async function idle(broker: Broker, backend: Backend): Promise<RawRow> {
  await using consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'bench' });
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const waits = [
    consumer.receive(1, abort.signal),
    ...Array.from({ length: 100 }, () => backend.wait(uuid(), abort.signal)),
  ];
  const settled = Promise.allSettled(waits);
  const start = process.cpuUsage();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const cpu = share(start, begun);
  abort.abort();
  await settled;
  return { name: 'idle with 1 receive and 100 waits', unit: '% of a core', value: cpu * 100, cpu };
}

async function rate(name: string, count: number, fn: () => Promise<unknown>): Promise<RawRow> {
  const start = process.cpuUsage();
  const begun = performance.now();
  await fn();
  const seconds = (performance.now() - begun) / 1000;
  return { name, unit: '1/s', value: count / seconds, cpu: share(start, begun) };
}

function share(start: NodeJS.CpuUsage, begun: number): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / (performance.now() - begun);
}

async function concurrently(width: number, times: number, fn: () => Promise<unknown>): Promise<void> {
  let left = times;
  const lane = async () => {
    while (left-- > 0) await fn();
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function message(id = uuid()): OutgoingMessage {
  const headers = {
    lang: 'js',
    task: 'shop.add',
    id,
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: id,
    parent_id: null,
    argsrepr: '(2, 3)',
    kwargsrepr: '{}',
    origin: 'gen21689@machine',
    ignore_result: false,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  };
  const properties = {
    correlation_id: id,
    reply_to: 'e166f80c-0000-4000-8000-000000000000',
    delivery_mode: 2,
    delivery_info: { exchange: '', routing_key: 'q' },
    priority: 0,
    body_encoding: 'base64',
    delivery_tag: id,
  };
  const body =
    'W1syLCAzXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3JkIjogbnVsbH1d';
  const envelope = { body, 'content-type': 'application/json', 'content-encoding': 'utf-8', headers, properties };
  return { queue: 'q', envelope, priority: undefined, due: undefined };
}

function result(id: string) {
  const document = `{"status": "SUCCESS", "result": 5, "traceback": null, "children": [], "date_done": "2026-11-23T08:46:15.732145+00:00", "task_id": "${id}"}`;
  return { id, state: 'SUCCESS', document };
}

const [, main, first, second] = process.argv;
if (main === fileURLToPath(import.meta.url)) {
  if (first === '--answer') await answer(second!);
  else {
    const { name, version } = loadSqlite();
    console.log(
      `Node ${process.version}, ${name} ${version}, message ${JSON.stringify(message().envelope).length} bytes`,
    );
    for (const row of await measureRaw(Number(first ?? 100_000))) {
      const value = row.value.toFixed(row.value < 1000 ? 2 : 0);
      console.log(`${row.name.padEnd(42)} ${value.padStart(9)} ${row.unit}  (processor ${row.cpu.toFixed(2)})`);
    }
  }
}
