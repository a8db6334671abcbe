import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadPeer, peerVersion } from '../../peers.ts';
import type { Queue } from './queue.ts';

/** The parts of plainjob and of libsql (as better-sqlite3) that are used here. */
export interface PlainjobModule {
  better(database: Database): PlainjobConnection;
  defineQueue(options: { connection: PlainjobConnection; logger: object }): PlainjobQueue;
  defineWorker(
    type: string,
    run: (job: { id: number; data: string }) => void,
    options: { queue: PlainjobQueue; pollIntervall: number; logger: object },
  ): { start(): Promise<void>; stop(): Promise<void> };
}

interface PlainjobConnection {
  pragma(text: string): void;
}

interface PlainjobQueue {
  add(type: string, data: unknown): { id: number };
  addMany(type: string, data: readonly unknown[]): { ids: number[] };
  countJobs(which: { status: number }): number;
  close(): void;
}

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
}

interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  close(): void;
}

const [pending, processing] = [0, 1];

export const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Opens plainjob on a file. It keeps no results, so the job writes its own into a table of the same file. */
export async function openPlainjob(file: string) {
  const plainjob = await loadPeer<PlainjobModule>('plainjob');
  const { default: Database } = await loadPeer<{ default: new (file: string) => Database }>('libsql');
  const database = new Database(file);
  const connection = plainjob.better(database);
  const queue = plainjob.defineQueue({ connection, logger: silent });
  // It sets NORMAL itself, in which a commit may be lost with the power; this area compares durable queues.
  connection.pragma('synchronous = FULL');
  database.exec('CREATE TABLE IF NOT EXISTS results (job INTEGER PRIMARY KEY, value TEXT NOT NULL)');
  return { plainjob, database, queue };
}

export async function plainjobQueue(directory: string): Promise<Queue> {
  mkdirSync(directory);
  const file = join(directory, 'jobs.db');
  const { database, queue } = await openPlainjob(file);
  const newest = database.prepare('SELECT value FROM results WHERE job = ?');
  let worker: ChildProcess | undefined;
  const stopWorker = async () => {
    if (worker === undefined) return;
    const it = worker;
    worker = undefined;
    if (it.exitCode !== null || it.signalCode !== null) return;
    const ended = once(it, 'exit');
    it.disconnect();
    await ended;
  };
  return {
    settings: { version: peerVersion('plainjob'), driver: 'libsql', synchronous: 'FULL', pollIntervall: '1 ms' },
    add: async (x) => String(queue.add('add', { x }).id),
    addMany: async (xs) =>
      queue
        .addMany(
          'add',
          xs.map((x) => ({ x })),
        )
        .ids.map(String),
    startWorker: async () => {
      worker = fork(fileURLToPath(new URL('./plainjob-worker.js', import.meta.url)), [file]);
      const failed = once(worker, 'exit').then(() => Promise.reject(new Error('the plainjob worker did not start')));
      failed.catch(() => {}); // its end after the start is nobody's failure
      await Promise.race([once(worker, 'message'), failed]);
    },
    stopWorker,
    remaining: async () => queue.countJobs({ status: pending }) + queue.countJobs({ status: processing }),
    results: (ids) => awaitResults(newest, ids),
    [Symbol.asyncDispose]: async () => {
      await stopWorker();
      queue.close();
    },
  };
}

async function awaitResults(select: Statement, ids: readonly string[]): Promise<number[]> {
  const values: number[] = [];
  while (values.length < ids.length) {
    const row = select.get(Number(ids[values.length])) as { value: string } | undefined;
    if (row === undefined) await delay(1);
    else values.push(JSON.parse(row.value) as number);
  }
  return values;
}
