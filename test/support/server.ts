import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServerOptions {
  readonly command: string;
  /** The arguments, for a free port and a temporary folder of its own. */
  readonly args: (port: number, directory: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Seconds until it must accept connections (default 20). */
  readonly timeout?: number;
}

export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly pid: number;
  /** What it has printed so far. */
  output(): string;
  /** Ends it (SIGTERM, SIGKILL after 5 s), waits for its end and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a private server on a free port of the loopback interface and waits until it accepts connections. The port
 * can be lost to another process between its choice and its use: then it is tried again.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const server = launch(options, await freePort());
    try {
      await accepts(server, options.timeout ?? 20);
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === 3) throw error;
    }
  }
}

/** A port of 127.0.0.1 that nothing listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

interface LaunchedServer extends RunningServer {
  readonly ended: Promise<void>;
}

function launch({ command, args, env }: ServerOptions, port: number): LaunchedServer {
  const directory = mkdtempSync(join(tmpdir(), 'server-'));
  const child = spawn(command, args(port, directory), {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      printed += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= end(child, ended, directory));
  return {
    host: '127.0.0.1',
    port,
    directory,
    pid: child.pid ?? -1,
    ended,
    output: () => printed,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function end(child: ChildProcess, ended: Promise<void>, directory: string): Promise<void> {
  child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(impatient);
  rmSync(directory, { recursive: true, force: true });
}

async function accepts(server: LaunchedServer, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout * 1000;
  let over = false;
  void server.ended.then(() => (over = true));
  while (!(await connects(server.port))) {
    if (over) throw new Error(`the server ended before it was ready:\n${server.output()}`);
    if (performance.now() > deadline)
      throw new Error(`the server was not ready after ${timeout} s:\n${server.output()}`);
  }
}

// A refused connection comes back at once: the pause keeps the attempts from taking the core that the server needs.
function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), 10));
  });
}
