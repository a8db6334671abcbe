import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Stands between clients and a server and can swallow the answer to a command, as a network does. */
export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #swallow: { pattern: RegExp; done: () => void } | undefined;
  #hold: { pattern: RegExp; held: (release: () => Promise<void>) => void } | undefined;

  constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, '127.0.0.1')));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the connection in place of the answer to the next command that matches; resolves when that is done. */
  swallowAnswerTo(pattern: RegExp): Promise<void> {
    return new Promise((done) => (this.#swallow = { pattern, done }));
  }

  /**
   * Keeps from the server, beginning with what matches, all that one connection sends, and lets it go when told: the client may be gone by
   * then. That resolves when the server has seen it, or has ended the connection.
   */
  holdBack(pattern: RegExp): () => Promise<void> {
    let release: (() => Promise<void>) | undefined;
    this.#hold = { pattern, held: (letGo) => (release = letGo) };
    return async () => {
      if (release === undefined) throw new Error('nothing was held back');
      await release();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    let swallowed: (() => void) | undefined;
    let kept: Buffer[] | undefined;
    const end = () => {
      client.destroy();
      if (kept === undefined) server.destroy();
    };
    const letGo = async () => {
      const bytes = Buffer.concat(kept!);
      kept = undefined;
      if (server.destroyed) return;
      server.write(bytes);
      // Whichever comes first: the answer, or the end of the connection.
      await new Promise<void>((resolve) => server.once('data', () => resolve()).once('close', () => resolve()));
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      if (this.#swallow?.pattern.test(data.toString('latin1')) === true) {
        swallowed = this.#swallow.done;
        this.#swallow = undefined;
      }
      if (this.#hold?.pattern.test(data.toString('latin1')) === true) {
        kept = [];
        this.#hold.held(letGo);
        this.#hold = undefined;
      }
      if (kept === undefined) server.write(data);
      else kept.push(data);
    });
    server.on('data', (data) => {
      if (swallowed === undefined) {
        client.write(data);
      } else {
        end();
        swallowed();
      }
    });
  }
}
