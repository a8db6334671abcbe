// Handlers that every style can run: threads and processes import this module.
import { portable } from '../../src/entry/callable.ts';
import type { Address, Socket } from '../../src/entry/socket.ts';
import type { DatagramRequest, RequestContext } from '../../src/entry/socketserver.ts';
import { DatagramRequestHandler, requestHandler, StreamRequestHandler } from '../../src/entry/socketserver.ts';

/** Echoes; 'boom' throws, 'who' tells process and thread, 'wait' answers only when the client says more. */
export const echo = portable(import.meta, 'echo', async (connection: Socket): Promise<void> => {
  for (let data = await connection.recv(65_536); data.length > 0; data = await connection.recv(65_536)) {
    const text = data.toString();
    if (text === 'boom') throw new RangeError('boom');
    await connection.sendall(text === 'who' ? who() : data);
  }
});

/** Never ends by itself; tells when it is given up. */
export const stubborn = portable(
  import.meta,
  'stubborn',
  async (connection: Socket, _: Address, { signal }: RequestContext): Promise<void> => {
    await connection.sendall('here');
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  },
);

export const answer = portable(import.meta, 'answer', ([data, socket]: DatagramRequest, client: Address) =>
  socket.sendto(data.toString() === 'who' ? who() : `${data.toString()}!`, client),
);

class Http extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const [method, path] = String(await this.rfile.readline()).split(' ');
    for (let line = await this.rfile.readline(); line.length > 2;) line = await this.rfile.readline();
    const body = `${method} ${path} from ${process.pid}\n`;
    this.wfile.write(`HTTP/1.0 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  }
}

/** Just enough of HTTP for curl. */
export const http = portable(import.meta, 'http', requestHandler(Http));

/** Answers in capitals. */
export class Shout extends DatagramRequestHandler {
  override handle(): void {
    this.write(this.packet.toString().toUpperCase());
  }
}

function who(): string {
  return `${process.pid}`;
}
