import { Socket } from 'node:net';
import { becomeWorker, checkMayStart } from '../callable/guard.ts';
import type { HostExit } from '../callable/host.ts';
import { FramedConnection } from '../ipc/framed-connection.ts';
import { close } from '../os/descriptor.ts';
import type { ExitWatch } from '../os/pidfd.ts';
import { openPair } from '../socket/native.ts';
import type { ProcessIdentity } from './current.ts';
import { becomeForked, nextName } from './current.ts';
import type { CopyEvents } from './fork-copy.ts';
import { forkCopy } from './fork-copy.ts';
import { ForkedChild, patience } from './forked-child.ts';
import { tieToParent } from './run-process.ts';
import { serveForked } from './serve-forked.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const hello = Buffer.from([1]);

let count = 0;

interface ForkOptions {
  readonly daemon: boolean;
  readonly after: Promise<unknown> | undefined;
}

/** A copy of this process that is sent its functions, made when the program next comes back to its event loop, or `after` that. */
export function forkHost({ daemon, after }: ForkOptions): ForkedChild {
  checkMayStart('process');
  const copy = new Copy(daemon);
  if (after === undefined) copy.fork();
  else void after.then(() => copy.fork());
  return copy.child;
}

class Copy implements CopyEvents {
  readonly child: ForkedChild;
  readonly #identity: ProcessIdentity & { readonly parentPid: number };
  #ends: readonly [ours: number, theirs: number] | undefined;
  #watch: ExitWatch | undefined;
  #held = false;

  constructor(daemon: boolean) {
    this.#identity = { name: nextName(), daemon, parentPid: process.pid };
    this.child = new ForkedChild({ id: ++count, daemon, hold: (held) => this.#hold(held) });
  }

  fork(): void {
    forkCopy(() => this.#run(), this);
  }

  // Not sooner: another copy would inherit this one's end, and keep it open.
  before(): void {
    this.#ends = openPair(AF_UNIX, SOCK_STREAM, 0);
  }

  forked(pid: number, watch: ExitWatch): void {
    this.#watch = watch;
    this.#hold(this.#held);
    const [ours, theirs] = this.#ends!;
    close(theirs);
    this.child.forked(pid);
    void greet(this.child, ours);
  }

  exited(exit: Omit<HostExit, 'why'>): void {
    if (this.#watch === undefined) for (const end of this.#ends ?? []) close(end);
    this.child.exited(exit);
  }

  // In the copy.
  #run(): void {
    const [ours, theirs] = this.#ends!;
    close(ours);
    becomeForked(this.#identity);
    becomeHost(theirs, this.#identity.parentPid);
  }

  #hold(held: boolean): void {
    this.#held = held;
    if (held) this.#watch?.ref();
    else this.#watch?.unref();
  }
}

async function greet(child: ForkedChild, fd: number): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.unref();
  const connection = new FramedConnection(socket);
  try {
    await connection.receive({ timeout: patience.hello });
    child.connected(connection, socket);
  } catch {
    socket.destroy(); // its end, or that it has said nothing, is told elsewhere
  }
}

function becomeHost(fd: number, parent: number): void {
  becomeWorker();
  // Ctrl-C reaches the whole foreground group; the parent decides what becomes of its children.
  process.on('SIGINT', () => {});
  tieToParent(parent);
  serveForked(new FramedConnection(new Socket({ fd, readable: true, writable: true })), hello);
}
