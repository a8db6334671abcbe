import { randomBytes } from 'node:crypto';
import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import { ClosedError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import { AF_UNIX, SOCK_SEQPACKET } from '../socket/constants.ts';
import type { Socket, UnixSocket } from '../socket/socket.ts';
import { socket } from '../socket/socket.ts';

const tokenSize = 16;

/** Where the processes of a server connect to, to be sent descriptors. */
export class Channels {
  // Anybody on this machine can connect to an abstract name: a process proves itself by the token it was given.
  readonly name = `\0simul-${uuid()}`;
  readonly #listener: UnixSocket;
  readonly #expected = new Map<string, Deferred<Socket>>();

  private constructor(listener: UnixSocket) {
    this.#listener = listener;
  }

  static async open(): Promise<Channels> {
    const channels = new Channels(socket(AF_UNIX, SOCK_SEQPACKET));
    await channels.#listener.bind(channels.name);
    channels.#listener.listen();
    channels.#listener.unref();
    void channels.#accept();
    return channels;
  }

  /** What the next process has to say, and the channel to it once it has. */
  expect(): { token: Buffer; channel: Promise<Socket> } {
    const token = randomBytes(tokenSize);
    const channel = deferred<Socket>();
    channel.promise.catch(() => {}); // told to who waits
    this.#expected.set(token.toString('hex'), channel);
    return { token, channel: channel.promise };
  }

  /** It will not come. */
  forget(token: Buffer): void {
    const key = token.toString('hex');
    this.#expected.get(key)?.promise.then(
      (channel) => channel.close(),
      () => {},
    );
    this.#expected.delete(key);
  }

  close(): void {
    this.#listener.close();
    for (const each of this.#expected.values()) each.reject(new ClosedError('the server was closed'));
    this.#expected.clear();
  }

  async #accept(): Promise<void> {
    try {
      for (;;) void this.#greet((await this.#listener.accept())[0]);
    } catch {
      // Closed.
    }
  }

  async #greet(channel: Socket): Promise<void> {
    channel.unref();
    try {
      const token = (await channel.recv(tokenSize, { timeout: 20 })).toString('hex');
      const expected = this.#expected.get(token);
      this.#expected.delete(token);
      if (expected !== undefined) return expected.resolve(channel);
    } catch {
      // Hung up before it had said anything.
    }
    channel.close();
  }
}
