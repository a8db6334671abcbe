import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A server that answers each command as it is told, in Redis's protocol as far as that is needed. */
export class FakeServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly commands: string[] = [];

  constructor(answer: (command: string, args: readonly string[]) => string) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      let rest = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        rest += text;
        for (let end = endOfCommand(rest); end > 0; end = endOfCommand(rest)) {
          const [name, ...args] = words(rest.slice(0, end));
          rest = rest.slice(end);
          this.commands.push(name!.toUpperCase());
          socket.write(answer(name!.toUpperCase(), args));
        }
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

// *<n>\r\n then n times $<length>\r\n<bytes>\r\n
function endOfCommand(text: string): number {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return -1;
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (length === null) return -1;
    at += length[0].length + Number(length[1]) + 2;
  }
  return at <= text.length ? at : -1;
}

function words(command: string): string[] {
  return [...command.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map((match) => match[1]!);
}
