import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Deferred } from '../../base/deferred.ts';
import { deferred } from '../../base/deferred.ts';
import { BrokenError } from '../../base/errors.ts';
import { unpackError } from '../../callable/packed-error.ts';
import type { AnyFunction } from '../../callable/registry.ts';
import { ThreadHost } from '../../callable/thread-host.ts';
import { transfer } from '../../callable/transfer.ts';
import { close } from '../../os/descriptor.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import type { Socket } from '../../socket/socket.ts';
import type { Member } from '../crew.ts';
import { Crew } from '../crew.ts';
import type { Setup, ThreadJob, ThreadResult } from '../remote.ts';
import { adopt, prepare, serveData, servePort } from '../remote.ts';
import type { Request } from '../request.ts';
import type { Style, StyleParts } from '../style.ts';
import { setupOf } from './setup.ts';

/** On a pool of threads, each with an event loop of its own; the descriptor is simply handed on, as it is the process's. */
export async function serveByThreads({ handler, settings, listener }: StyleParts): Promise<Style> {
  const setup = setupOf(handler as AnyFunction, settings);
  const crew = new Crew<ThreadMember>(settings.workers, () => ThreadMember.start(setup, listener));
  await crew.start();
  return {
    serve: async (request) => (await crew.pick()).serve(request),
    close: () => crew.close(),
  };
}

class ThreadMember implements Member {
  readonly host = new ThreadHost();
  readonly #taken = new Int32Array(new SharedArrayBuffer(4));
  readonly #served = new Map<number, { readonly fd: number; readonly end: Deferred<void> }>();
  readonly #port: MessagePort;
  readonly #theirs: MessagePort;
  #sent = 0;

  private constructor() {
    const { port1, port2 } = new MessageChannel();
    [this.#port, this.#theirs] = [port1, port2];
    port1.on('message', (result: ThreadResult) => this.#settle(result));
    port1.unref();
  }

  static async start(setup: Setup, listener: Socket): Promise<ThreadMember> {
    const member = new ThreadMember();
    try {
      await member.host.call(prepare, [{ ...setup, taken: member.#taken }]);
      if (listener.type === SOCK_DGRAM) {
        await member.host.call(adopt, [listener.fileno(), [listener.family, listener.type]]);
      } else {
        const port = member.#theirs;
        await member.host.call(servePort, [transfer(port, [port])]);
      }
      return member;
    } catch (error) {
      await member.host.terminate();
      throw error;
    }
  }

  get running(): number {
    return this.host.running + this.#served.size;
  }

  serve(request: Request): Promise<void> {
    const { job } = request;
    if (job.kind === 'datagram') {
      return this.host.call(serveData, [job.data, job.address], { signal: request.signal });
    }
    const { family, type } = job.connection;
    const number = ++this.#sent;
    const fd = job.connection.detach();
    const end = deferred();
    if (this.#served.size === 0) this.#port.ref();
    this.#served.set(number, { fd, end });
    request.onCancel = () => this.#send([number]);
    this.#send([number, fd, [family, type], job.address]);
    return end.promise;
  }

  async idle(): Promise<void> {
    await Promise.allSettled([...this.#served.values()].map(({ end }) => end.promise));
  }

  /** The thread has ended: what it was to serve is over. */
  release(): void {
    const error = new BrokenError(`${this.host.name} ended while it served`);
    for (const [number, { fd, end }] of this.#served) {
      // Ours still, if the thread died before it had it.
      if (Atomics.load(this.#taken, 0) < number) close(fd);
      end.reject(error);
    }
    this.#served.clear();
    this.#port.close();
  }

  #send(job: ThreadJob): void {
    this.#port.postMessage(job, []);
  }

  #settle([number, error]: ThreadResult): void {
    const served = this.#served.get(number);
    this.#served.delete(number);
    if (this.#served.size === 0) this.#port.unref();
    if (error === undefined) served?.end.resolve();
    else served?.end.reject(unpackError(error));
  }
}
