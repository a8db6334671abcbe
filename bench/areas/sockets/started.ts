import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { forkFlags } from '../../../src/entry/os.ts';
import { program } from '../../../tools/programs.ts';
import type { Contender, Sample } from '../../harness.ts';

/** A contender whose server is a process of its own, loaded by `load`. */
export function serverContender(
  start: () => Promise<StartedServer>,
  load: (port: number) => Promise<Sample>,
  settings: NonNullable<Contender['settings']> = {},
): Contender {
  let server: StartedServer | undefined;
  return {
    settings,
    prepare: async () => {
      server = await start();
    },
    run: () => load(server!.port),
    close: () => server?.close(),
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
  const [port] = (await once(child, 'message')) as [number];
  return { port, close: () => end(child) };
}

/** One of `servers.py`. */
export async function pythonServer(style: string): Promise<StartedServer> {
  const script = resolve(import.meta.dirname, '../../../../bench/areas/sockets/servers.py');
  const child = spawn(program('python3'), ['-B', script, style, '2'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(line.toString()), close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
