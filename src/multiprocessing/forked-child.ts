import type { Socket } from 'node:net';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { BrokenError } from '../base/errors.ts';
import type { HostExit } from '../callable/host.ts';
import type { Request, Response } from '../callable/protocol.ts';
import type { Endpoint } from '../callable/remote-host.ts';
import { RemoteHost } from '../callable/remote-host.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import { frameOf } from '../ipc/framed-connection.ts';

interface ForkedChildOptions {
  readonly id: number;
  readonly daemon: boolean;
  /** Keeps alive, or not, what tells its end. */
  readonly hold: (held: boolean) => void;
  /** Bytes of the largest message, if not what can be sent at most. */
  readonly largest?: number;
}

/** @internal Seconds there are for the fork, where the template imports modules first, and for the child to say hello. */
export const patience = { fork: 60, hello: 10 };

// The dead send no more: a round in which nothing came is the end, and so is the last one.
const drain = { seconds: 0.1, rounds: 10 };

/** A child of the template or of this process, as its maker sees it: messages over a socket, birth and death told. */
export class ForkedChild {
  readonly host: RemoteHost;
  pid: number | undefined;
  readonly #options: ForkedChildOptions;
  // Until it is there.
  readonly #outgoing: Buffer[] = [];
  #signals: NodeJS.Signals[] = [];
  #connection: FramedConnection | undefined;
  #socket: Socket | undefined;
  #respond: (batch: readonly Response[]) => void = () => {};
  #exit: (exit: Omit<HostExit, 'why'>) => void = () => {};
  #received: Promise<void> = Promise.resolve();
  #unreadable: { error?: unknown } = {};
  #held = false;
  #ended = false;
  #patience: ClockTimer | undefined;

  constructor(options: ForkedChildOptions) {
    this.#options = options;
    this.host = new ForkedHost(this.#endpoint());
    this.#wait(patience.fork, 'no child was forked');
  }

  /** Whether it has come to life. */
  get began(): boolean {
    return this.#connection !== undefined;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#ended) return;
    if (this.pid === undefined) this.#signals.push(signal);
    else this.#signal(this.pid, signal);
  }

  // The template may have reaped it already, and its report be under way.
  #signal(pid: number, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ESRCH') throw error;
    }
  }

  forked(pid: number): void {
    this.pid = pid;
    if (this.#connection === undefined) this.#wait(patience.hello, `process ${pid} has not said hello`);
    for (const signal of this.#signals) this.#signal(pid, signal);
    this.#signals = [];
  }

  connected(connection: FramedConnection, socket: Socket): void {
    if (this.#ended) return void socket.destroy();
    this.#patience?.cancel();
    connection.trust();
    this.#connection = connection;
    this.#socket = socket;
    if (this.#held) socket.ref();
    for (const bytes of this.#outgoing.splice(0)) this.#send(bytes);
    this.#received = this.#receive(connection);
  }

  exited(exit: Omit<HostExit, 'why'>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#patience?.cancel();
    // The last answers may still be under way: their end comes after them.
    void this.#drained().then(() => {
      this.#setHold(false);
      this.#exit({ ...exit, ...this.#unreadable });
    });
  }

  // A process that the child has forked holds the other end too: then no end of the stream comes while that lives.
  async #drained(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    const received = this.#received.then(() => true);
    for (let round = 0, read = -1; round < drain.rounds && socket.bytesRead !== read; round++) {
      read = socket.bytesRead;
      if (await endsWithin(drain.seconds, received)) return;
    }
    socket.destroy();
    await received;
  }

  // A child can hang before its first word, as a forked process can lack what it waits for; and so can the template.
  #wait(seconds: number, what: string): void {
    this.#patience?.cancel();
    this.#patience = realClock.setTimer(seconds, () => {
      this.kill('SIGKILL');
      this.exited({ code: null, signal: null, error: new BrokenError(`${what} within ${seconds} s`) });
    });
    if (this.#options.daemon) this.#patience.unref();
  }

  #endpoint(): Endpoint {
    return {
      name: `forked process ${this.#options.id}`,
      kind: 'process',
      post: (batch) => this.#post(batch),
      hold: (held) => this.#setHold(held && !this.#options.daemon),
      kill: () => this.kill('SIGKILL'),
      listen: (respond, exit) => {
        this.#respond = respond;
        this.#exit = exit;
      },
    };
  }

  // Serialised at once: what cannot be is the failure of its call, and nobody may change it until it goes.
  #post(batch: readonly Request[]): void {
    this.#send(frameOf(batch, this.#options.largest));
  }

  #send(bytes: Buffer): void {
    if (this.#connection === undefined) this.#outgoing.push(bytes);
    else void this.#connection.sendBytes(bytes).catch(() => {}); // a dead child shows as its exit
  }

  async #receive(connection: FramedConnection): Promise<void> {
    try {
      for await (const batch of connection as AsyncIterable<readonly Response[]>) this.#respond(batch);
    } catch (error) {
      // An answer that cannot be read leaves its call without one for ever.
      this.#unreadable = { error };
      this.kill('SIGKILL');
    }
  }

  #setHold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    this.#options.hold(held);
    if (held) this.#socket?.ref();
    else this.#socket?.unref();
  }
}

async function endsWithin(seconds: number, end: Promise<boolean>): Promise<boolean> {
  const late = deferred<false>();
  // The loop may have been held up: what is there by then is read before this.
  const timer = realClock.setTimer(seconds, () => setImmediate(late.resolve, false)).unref();
  try {
    return await Promise.race([end, late.promise]);
  } finally {
    timer.cancel();
  }
}

class ForkedHost extends RemoteHost {
  // oxlint-disable-next-line no-useless-constructor -- makes it public
  constructor(endpoint: Endpoint) {
    super(endpoint);
  }
}
