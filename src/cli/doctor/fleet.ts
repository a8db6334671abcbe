import { accessSync, constants, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Simul } from '../../tasks/app.ts';
import { openBroker } from '../../tasks/registry.ts';
import { redactUrl } from '../../tasks/url.ts';
import { Worker } from '../../worker/worker.ts';
import type { Probe } from './finding.ts';
import { timed } from './finding.ts';
import { versionOf } from './machine.ts';

/** A task from its call to its result on the brokers that need no server, and the server that is named. */
export function fleetProbes(directory: string, broker: string | undefined): Probe[] {
  return [
    { tier: 'fleet', part: 'memory://', run: () => roundTrip('memory://simul-doctor') },
    { tier: 'fleet', part: 'sqlite://', run: () => roundTrip(`sqlite://${join(directory, 'probe.db')}`) },
    { tier: 'fleet', part: './.simul', optional: true, run: writable },
    { tier: 'fleet', part: 'redis library', optional: true, run: redisLibrary },
    ...(broker === undefined || /^(memory|sqlite):/i.test(broker) ? [] : [server(broker)]),
  ];
}

async function roundTrip(url: string): Promise<string> {
  await using app = appOn(url);
  const add = app.task('doctor.add', (x: number, y: number) => x + y);
  await using worker = new Worker(app, { logWrite: () => {} });
  await worker.start();
  return await timed('call to result', async () => {
    const sum = await (await add.delay(2, 3)).get({ timeout: 10 });
    if (sum !== 5) throw new Error(`2 + 3 came back as ${sum}`);
  });
}

/** An app on just this URL, whatever the environment says. */
function appOn(url: string): Simul {
  const names = ['SIMUL_BROKER_URL', 'SIMUL_RESULT_BACKEND'] as const;
  const saved = names.map((name) => process.env[name]);
  for (const name of names) delete process.env[name];
  try {
    return new Simul('doctor', { broker: url });
  } finally {
    names.forEach((name, i) => saved[i] !== undefined && (process.env[name] = saved[i]));
  }
}

/** Looks without leaving anything behind: the folder is made by who first needs it. */
function writable(): string {
  const path = resolve('.simul');
  const there = statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (there && !statSync(path).isDirectory()) throw new Error(`${path} is not a directory`);
  accessSync(there ? path : resolve('.'), constants.W_OK | constants.X_OK);
  return there ? `${path} can be written` : `${path} can be made`;
}

async function redisLibrary(): Promise<string> {
  try {
    await import('ioredis');
  } catch {
    throw new Error('for redis:// URLs: npm install ioredis');
  }
  return `ioredis ${versionOf('ioredis')}`;
}

function server(url: string): Probe {
  const ask = async (): Promise<void> => {
    await using broker = await openBroker(url);
    await broker.sizes();
  };
  return { tier: 'fleet', part: redactUrl(url), run: () => timed('connected and asked', ask) };
}
