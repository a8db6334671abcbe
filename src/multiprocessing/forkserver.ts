import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { BrokenError, InvalidStateError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import { childEnv, childExecArgv } from '../callable/child-options.ts';
import { checkMayStart, processMark } from '../callable/guard.ts';
import type { ModuleLocation } from '../callable/location.ts';
import { moduleUrl } from '../callable/location.ts';
import { FramedConnection } from '../ipc/framed-connection.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { forkFlags } from '../os/fork.ts';
import { exitOf } from './exit-status.ts';
import { ForkedChild } from './forked-child.ts';
import type { TemplateReport, TemplateRequest } from './template-protocol.ts';

const main = fileURLToPath(new URL('./template-process-main.js', import.meta.url));
const tokenBytes = 16;

let preloaded: readonly string[] = [];
const needed = new Set<string>();
let server: ForkServer | undefined;

/**
 * Names modules that the template of start method "forkserver" imports once, so that its children have them at once.
 * Before the first such process is started, else InvalidStateError. (multiprocessing.set_forkserver_preload)
 *
 * @example
 * setForkserverPreload([new URL('./jobs.js', import.meta.url)]);
 */
export function setForkserverPreload(modules: readonly ModuleLocation[]): void {
  if (server !== undefined) throw new InvalidStateError('the forkserver runs already');
  preloaded = modules.map(moduleUrl);
}

/** @internal Has the template, now and after a restart, import a module that children are going to need. */
export function preloadInForkserver(url: string): void {
  if (needed.has(url)) return;
  needed.add(url);
  server?.preload([url]);
}

/** Asks the template, started on first use, for a child. */
export function forkChild(options: { readonly daemon: boolean }): ForkedChild {
  checkMayStart('process');
  server ??= new ForkServer();
  return server.fork(options);
}

class ForkServer {
  readonly #template: ChildProcess;
  readonly #listener: Server;
  // Anybody on this machine can connect to an abstract name: a child proves itself by the token it was given.
  readonly #address = `\0simul-${uuid()}`;
  readonly #children = new Map<number, ForkedChild>();
  readonly #tokens = new Map<string, ForkedChild>();
  #held = 0;
  #next = 0;

  constructor() {
    this.#listener = createServer((socket) => void this.#greet(socket)).listen({ path: this.#address });
    this.#listener.unref();
    // The last of two contrary flags counts: Node 26 gives each test file a --v8-pool-size.
    this.#template = spawn(process.execPath, [...childExecArgv(process.execArgv), ...forkFlags, main, processMark], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: childEnv(process.env),
    });
    this.#template.on('message', (report) => this.#receive(report as TemplateReport));
    this.#template.once('error', (error) => this.#died(error));
    this.#template.once('exit', (code, signal) =>
      this.#died(new BrokenError(`the forkserver ended (${signal ?? code})`)),
    );
    this.#template.unref();
    this.#template.channel?.unref();
    this.preload([...preloaded, ...needed]);
  }

  preload(modules: readonly string[]): void {
    this.#send({ kind: 'preload', modules });
  }

  fork({ daemon }: { readonly daemon: boolean }): ForkedChild {
    const id = this.#next++;
    const token = randomBytes(tokenBytes).toString('hex');
    const child = new ForkedChild({ id, daemon, hold: (held) => this.#hold(held) });
    this.#children.set(id, child);
    this.#tokens.set(token, child);
    this.#send({ kind: 'fork', id, address: this.#address, token });
    return child;
  }

  async #greet(socket: Socket): Promise<void> {
    socket.unref();
    const connection = new FramedConnection(socket);
    try {
      const token = (await connection.receive({ timeout: 20 })).toString('hex');
      const child = this.#tokens.get(token);
      this.#tokens.delete(token);
      if (child !== undefined) return child.connected(connection, socket);
    } catch {
      // Hung up before it had said anything.
    }
    socket.destroy();
  }

  #receive(report: TemplateReport): void {
    const child = this.#children.get(report.id);
    if (child === undefined) return;
    if (report.kind === 'forked') return child.forked(report.pid);
    this.#children.delete(report.id);
    if (report.kind === 'exited') child.exited(exitOf(report.status));
    else child.exited({ code: null, signal: null, error: new BrokenError(report.message) });
  }

  #died(error: Error): void {
    if (server === this) server = undefined;
    this.#listener.close();
    for (const child of this.#children.values()) child.exited({ code: null, signal: null, error });
    this.#children.clear();
  }

  #send(request: TemplateRequest): void {
    this.#template.send(request, () => {}); // its end is reported by its exit
  }

  #hold(held: boolean): void {
    this.#held += held ? 1 : -1;
    if (this.#held === 1 && held) this.#template.channel?.ref();
    if (this.#held === 0) this.#template.channel?.unref();
  }
}

// The template, its channel and its children are those of the process that started it.
registerAtFork({ afterInChild: () => (server = undefined) });
