import { program } from '../../tools/programs.ts';
import type { RunningServer } from './server.ts';
import { startServer } from './server.ts';

/** A private Redis: nothing is written to disk, nothing but the loopback interface is listened on. */
export function startRedis(options: { readonly args?: readonly string[] } = {}): Promise<RunningServer> {
  return startServer({
    command: program('redis-server'),
    args: (port, directory) => [...settings(port, directory), ...(options.args ?? [])],
  });
}

function settings(port: number, directory: string): string[] {
  const given = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', daemonize: 'no' };
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
