import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { forkFlags, schedGetaffinity, schedSetaffinity } from '../../../src/entry/os.ts';
import { program } from '../../../tools/programs.ts';
import type { Contender, Sample } from '../../harness.ts';
import { LoadProcess } from './load.ts';

/** A contender whose server is a process of its own, under the load of another. */
export function serverContender(
  start: () => Promise<StartedServer>,
  measure: (load: LoadProcess, port: number) => Promise<Sample>,
  settings: NonNullable<Contender['settings']> = {},
): Contender {
  let server: StartedServer | undefined;
  let load: LoadProcess | undefined;
  return {
    settings,
    prepare: async () => {
      server = await start();
      load = new LoadProcess();
    },
    run: () => measure(load!, server!.port),
    close: async () => {
      load?.close();
      await server?.close();
    },
  };
}

export interface StartedServer {
  readonly port: number;
  close(): Promise<void>;
}

/** One of `server.ts`. */
export async function nodeServer(kind: string): Promise<StartedServer> {
  const flags = kind === 'fork' ? forkFlags : [];
  const child = spawn(process.execPath, [...flags, resolve(import.meta.dirname, 'server.js'), kind], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  place(child, kind);
  const [port] = (await once(child, 'message')) as [number];
  return { port, close: () => end(child) };
}

/** One of `servers.py`. */
export async function pythonServer(style: string): Promise<StartedServer> {
  const script = resolve(import.meta.dirname, '../../../../bench/areas/sockets/servers.py');
  const child = spawn(program('python3'), ['-B', script, style, '2'], { stdio: ['pipe', 'pipe', 'inherit'] });
  place(child, style);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(line.toString()), close: () => end(child) };
}

const withOneThread = ['async', 'sequential', 'udp', 'node-net', 'node-dgram'];

// Beside the load, which has the last core: the scheduler would now and then put both on one. Who serves with several threads or
// processes has all cores.
function place({ pid }: ChildProcess, kind: string): void {
  const cores = [...schedGetaffinity()];
  if (pid === undefined || cores.length === 1 || !withOneThread.includes(kind)) return;
  schedSetaffinity(
    pid,
    cores.filter((core) => core !== Math.max(...cores)),
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
