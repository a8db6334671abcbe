import { UnsupportedError, BrokenError } from '../../base/errors.ts';
import { calledInChild, withoutWatchesInChild } from '../../os/epoll.ts';
import { exitNow, forkChildren, whyNoFork } from '../../os/fork.ts';
import { useHugeText } from '../../os/huge-text.ts';
import { libc } from '../../os/libc.ts';
import { methodsOf, precompile } from '../../os/precompile.ts';
import { kill } from '../../os/process-ids.ts';
import { shrinkMemory } from '../../os/shrink-memory.ts';
import { onceEnded } from '../../os/wait.ts';
import { waitstatusToExitcode } from '../../os/wait-status.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import { showAddress } from '../../socket/address.ts';
import { socketpair } from '../../socket/pair.ts';
import { setters } from '../../socket/options.ts';
import { Socket } from '../../socket/socket.ts';
import type { RequestHandler } from '../handlers.ts';
import { writeError } from '../report.ts';
import { Request } from '../request.ts';
import type { Serving } from '../serve.ts';
import type { ServerOwner, Style, StyleParts } from '../style.ts';
import { serveIn } from './here.ts';

/**
 * In a forked child for every client: it has all that the server had, and what it does there stays there. Clients that come in one turn of
 * the event loop get their children in one go, which is cheaper by what the parent would write to in between.
 */
export async function serveByFork({ handler, settings, listener, owner }: StyleParts): Promise<Style> {
  const reason = whyNoFork();
  if (reason !== undefined) throw new UnsupportedError(reason);
  const serving: Serving = { handler: handler as RequestHandler<never>, timeout: settings.timeout, ssl: settings.ssl };
  await shrinkMemory();
  await rehearse();
  precompile([handler, ...calledInChild(), ...methodsOf(Socket.prototype), ...Object.values(setters)]);
  useHugeText();
  const births = new Births({ serving, listener, owner, exit: exitNow });
  return { serve: (request) => births.serve(request), close: async () => {} };
}

interface ChildParts {
  readonly serving: Serving;
  readonly listener: Socket;
  readonly owner: ServerOwner;
  readonly exit: (code: number) => void;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who get a child at the next turn of the event loop. Not before: it would run every promise job that is pending here. */
class Births {
  readonly #parts: ChildParts;
  readonly #waiting: Waiting[] = [];

  constructor(parts: ChildParts) {
    this.#parts = parts;
  }

  serve(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ request, resolve, reject }) === 1) setImmediate(() => this.#fork());
    });
  }

  #fork(): void {
    // A child may come by here too, for those whom the system has refused a child: they are the parent's.
    if (this.#parts.owner.inChild) return;
    const waiting = this.#waiting.splice(0);
    try {
      const pids = withoutWatchesInChild(() => forkChildren(waiting.length));
      if (pids[pids.length - 1] === 0) return beChild(this.#parts, waiting, pids.length - 1);
      pids.forEach((pid, i) => waitForChild(pid, waiting[i]!));
      for (const { request, resolve, reject } of waiting.slice(pids.length)) this.serve(request).then(resolve, reject);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

function waitForChild(pid: number, { request, resolve, reject }: Waiting): void {
  const { job } = request;
  if (job.kind === 'connection') job.connection.close();
  request.onCancel = () => kill(pid, 'SIGKILL');
  if (request.reason !== undefined) kill(pid, 'SIGKILL');
  onceEnded(pid, (status) => {
    const code = waitstatusToExitcode(status);
    if (code === 0 || request.reason !== undefined) return resolve();
    const how = code < 0 ? `was killed by signal ${-code}` : `exited with code ${code}`;
    reject(new BrokenError(`process ${pid}, which served ${showAddress(job.address)}, ${how}`));
  });
}

// What the server goes on with is the parent's: here the request is all there is.
function beChild({ serving, listener, owner, exit }: ChildParts, waiting: readonly Waiting[], own: number): void {
  owner.inChild = true;
  if (listener.type !== SOCK_DGRAM) forget(listener);
  // Their clients would not see the end of a connection that this child has open as well.
  for (let i = 0; i < waiting.length; i++) {
    const { job } = waiting[i]!.request;
    if (i !== own && job.kind === 'connection') forget(job.connection);
  }
  const { request } = waiting[own]!;
  if (request.job.kind === 'connection') request.job.connection.lookAhead();
  serveIn(serving, request, true).then(
    () => exit(0),
    (error: unknown) => {
      writeError(error, request.job.address);
      exit(1);
    },
  );
}

// The bare descriptor: closing the socket object would wake who waits on it, and remove the file of a UNIX socket.
function forget(socket: Socket): void {
  if (socket.fileno() >= 0) libc('int close(int fd)')(socket.fileno());
}

// A function that was never called is compiled at its first call, and optimized when it was called often: in every child again,
// if not here. And a function that is not optimized yet writes to memory, which is to be copied first, each time it is called.
async function rehearse(): Promise<void> {
  const serving = { handler: echo };
  for (let i = 0; i < rehearsals; i++) {
    const [client, served] = socketpair();
    const others = Array.from({ length: 2 }, () => socketpair());
    const waiting = [served, others[0]![0]].map((connection) => ({
      request: new Request({ kind: 'connection', connection, address: '' }),
      resolve: () => {},
      reject: () => {},
    }));
    if (i % 2 === 0) await client.sendall('x');
    const code = await new Promise((exit) => {
      beChild({ serving, listener: others[1]![0], owner: { inChild: false }, exit }, waiting, 0);
      void converse(client, i % 2 === 1);
    });
    if (code !== 0) throw new BrokenError('the rehearsal of a child has failed');
    for (const end of [served, others[0]![1], others[1]![1]]) end.close();
  }
}

async function converse(client: Socket, late: boolean): Promise<void> {
  if (late) await client.sendall('x');
  await client.recv(1);
  client.close();
}

async function echo(connection: Socket): Promise<void> {
  connection.setOptions({ keepAlive: true });
  for (let data = await connection.recv(65_536); data.length > 0; data = await connection.recv(65_536)) {
    await connection.sendall(data);
  }
}

const rehearsals = 20;
