import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '../base/errors.ts';
import { childEnv, childExecArgv } from './child-options.ts';
import { checkMayStart, processMark } from './guard.ts';
import type { Request, Response } from './protocol.ts';
import type { Endpoint } from './remote-host.ts';
import { RemoteHost } from './remote-host.ts';
import type { Movable } from './transfer.ts';

/** How the process is started. */
export interface ProcessHostOptions {
  /** Environment variables of the process; by default ours. */
  readonly env?: NodeJS.ProcessEnv;
  /** Node options of the process; by default ours without those of this program's own run (`--test`, `--inspect`…). */
  readonly execArgv?: readonly string[];
  /** Does not keep the program alive even while it runs something. */
  readonly daemon?: boolean;
  /** Its working directory; by default ours. */
  readonly cwd?: string;
}

/**
 * A child process that runs functions. Choose it for work that may crash or must be killable whatever it does, and for
 * memory limits; a ThreadHost starts faster and moves buffers. It starts at once and ends with this process.
 *
 * @throws InvalidStateError when a worker starts it only because it imports the program: guard main with `isWorker()`.
 * @example
 * await using host = new ProcessHost();
 * await host.call(() => process.pid, []);
 */
export class ProcessHost extends RemoteHost {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;

  constructor(options: ProcessHostOptions = {}) {
    checkMayStart('process');
    const child = startProcess(options);
    super(endpointOf(child, options.daemon ?? false));
    this.pid = child.pid;
  }
}

const main = fileURLToPath(new URL('./process-main.js', import.meta.url));

function startProcess({ env, execArgv, cwd }: ProcessHostOptions): ChildProcess {
  return spawn(process.execPath, [...(execArgv ?? childExecArgv(process.execArgv)), main, processMark], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: childEnv(env ?? process.env),
    ...(cwd === undefined ? {} : { cwd }),
  });
}

function endpointOf(child: ChildProcess, daemon: boolean): Endpoint {
  return {
    name: child.pid === undefined ? 'process (not started)' : `process ${child.pid}`,
    kind: 'process',
    post: (batch, moved) => send(child, batch, moved),
    hold: (held) => hold(child, held && !daemon),
    kill: () => void child.kill('SIGKILL'),
    listen: (respond, exit) => {
      child.on('message', (batch) => respond(batch as readonly Response[]));
      child.once('error', (error) => {
        if (child.pid === undefined) exit({ code: null, signal: null, error });
      });
      child.once('exit', (code, signal) => {
        // The last answers may still be in the channel: its end comes after them.
        const end = () => exit({ code, signal });
        if (child.connected) child.once('disconnect', end);
        else end();
      });
    },
  };
}

function send(child: ChildProcess, batch: readonly Request[], moved: readonly Movable[]): void {
  const buffers = moved.map((item) => {
    if (item instanceof ArrayBuffer) return item;
    throw new UnsupportedError('a MessagePort cannot go to another process');
  });
  // A dead child shows as its exit; the failed write says nothing more.
  if (child.connected) child.send(batch, () => {});
  // Copied, they are detached all the same: what a caller may do afterwards must not depend on the kind of host.
  if (buffers.length > 0) structuredClone(null, { transfer: buffers });
}

function hold(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
