import type { AnyFunction } from '../../callable/registry.ts';
import { ThreadHost } from '../../callable/thread-host.ts';
import { close } from '../../os/descriptor.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import type { Socket } from '../../socket/socket.ts';
import type { Member } from '../crew.ts';
import { Crew } from '../crew.ts';
import type { Setup } from '../remote.ts';
import { adopt, prepare, serveData, serveDescriptor } from '../remote.ts';
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
  #sent = 0;

  static async start(setup: Setup, listener: Socket): Promise<ThreadMember> {
    const member = new ThreadMember();
    try {
      await member.host.call(prepare, [{ ...setup, taken: member.#taken }]);
      if (listener.type === SOCK_DGRAM) {
        await member.host.call(adopt, [listener.fileno(), [listener.family, listener.type]]);
      }
      return member;
    } catch (error) {
      await member.host.terminate();
      throw error;
    }
  }

  async serve(request: Request): Promise<void> {
    const { job } = request;
    const { signal } = request;
    if (job.kind === 'datagram') return this.host.call(serveData, [job.data, job.address], { signal });
    const { family, type } = job.connection;
    const fd = job.connection.detach();
    const number = ++this.#sent;
    try {
      await this.host.call(serveDescriptor, [fd, [family, type], job.address], { signal });
    } finally {
      // The thread died before it had it.
      if (Atomics.load(this.#taken, 0) < number) close(fd);
    }
  }

  release(): void {}
}
