import type { AnyFunction } from '../../callable/registry.ts';
import { startHost } from '../../multiprocessing/start-host.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import { sendFds } from '../../socket/rights.ts';
import type { Socket } from '../../socket/socket.ts';
import { Channels } from '../channels.ts';
import type { Member } from '../crew.ts';
import { closeMember, Crew } from '../crew.ts';
import type { Setup } from '../remote.ts';
import { adopt, openChannel, prepare, serveData, serveSent } from '../remote.ts';
import type { Request } from '../request.ts';
import type { Style, StyleParts } from '../style.ts';
import { setupOf } from './setup.ts';

/** On a pool of processes: the descriptor travels over a UNIX socket. */
export async function serveByProcessPool(parts: StyleParts): Promise<Style> {
  const channels = await Channels.open();
  try {
    const hire = hiring(parts, channels);
    const crew = new Crew<ProcessMember>(parts.settings.workers, hire);
    await crew.start();
    return {
      serve: async (request) => (await crew.pick()).serve(request),
      close: async () => {
        await crew.close();
        channels.close();
      },
    };
  } catch (error) {
    channels.close();
    throw error;
  }
}

/** In a new process for every client. */
export async function serveByNewProcesses(parts: StyleParts): Promise<Style> {
  const hire = hiring(parts, await Channels.open());
  const { channels } = hire;
  return {
    serve: async (request) => {
      const member = await hire();
      try {
        await member.serve(request);
      } finally {
        await closeMember(member);
      }
    },
    close: async () => channels.close(),
  };
}

interface Hiring {
  (): Promise<ProcessMember>;
  readonly channels: Channels;
}

function hiring({ handler, settings, listener }: StyleParts, channels: Channels): Hiring {
  const setup = setupOf(handler as AnyFunction, settings);
  const hire = () => ProcessMember.start(setup, { channels, listener, method: settings.startMethod });
  return Object.assign(hire, { channels });
}

interface Start {
  readonly channels: Channels;
  readonly listener: Socket;
  readonly method: StyleParts['settings']['startMethod'];
}

class ProcessMember implements Member {
  readonly host: Member['host'];
  readonly #channel: Socket;
  #number = 0;

  private constructor(host: Member['host'], channel: Socket) {
    this.host = host;
    this.#channel = channel;
  }

  static async start(setup: Setup, { channels, listener, method }: Start): Promise<ProcessMember> {
    const { host } = startHost(method, { daemon: false });
    const { token, channel } = channels.expect();
    try {
      await host.call(openChannel, [channels.name, token]);
      const member = new ProcessMember(host, await channel);
      await host.call(prepare, [setup]);
      if (listener.type === SOCK_DGRAM) await member.#adopt(listener);
      return member;
    } catch (error) {
      channels.forget(token);
      await host.terminate();
      throw error;
    }
  }

  get running(): number {
    return this.host.running;
  }

  // Closing the host waits for its calls.
  async idle(): Promise<void> {}

  async serve(request: Request): Promise<void> {
    const { job, signal } = request;
    if (job.kind === 'datagram') return this.host.call(serveData, [job.data, job.address], { signal });
    const { connection } = job;
    try {
      const number = await this.#send(connection);
      const { family, type } = connection;
      const served = this.host.call(serveSent, [number, [family, type], job.address], { signal });
      // Only the process has it from here on, so that the client sees when that closes it.
      connection.close();
      await served;
    } finally {
      connection.close();
    }
  }

  release(): void {
    this.#channel.close();
  }

  async #adopt(listener: Socket): Promise<void> {
    const sent = await this.#send(listener);
    await this.host.call(adopt, [{ sent }, [listener.family, listener.type]]);
  }

  async #send(socket: Socket): Promise<number> {
    const number = (this.#number = (this.#number + 1) >>> 0);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(number);
    await sendFds(this.#channel, bytes, [socket.fileno()]);
    return number;
  }
}
