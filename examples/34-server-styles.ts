// The same echo and the same bit of HTTP in every style, under the same load. Run: node dist/examples/34-server-styles.js
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { portable, isWorker } from 'simul/callable';
import { forkFlags } from 'simul/os';
import type { InetAddress, Socket } from 'simul/socket';
import { createConnection, SHUT_WR } from 'simul/socket';
import type { Handler, StyleName } from 'simul/socketserver';
import { requestHandler, StreamRequestHandler, TCPServer } from 'simul/socketserver';

export const echo = portable(import.meta, 'echo', async (connection: Socket) => {
  for await (const data of connection) await connection.sendall(data);
});

class Page extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const [, path] = String(await this.rfile.readline()).split(' ');
    for (let line = await this.rfile.readline(); line.length > 2;) line = await this.rfile.readline();
    this.wfile.write(`HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nYou asked for ${path}\n`);
  }
}
export const page = portable(import.meta, 'page', requestHandler(Page));

const styles: readonly StyleName[] = ['async', 'sequential', 'threads', 'fork', 'processes', 'process', 'subprocess'];
// What is a program in style subprocess, and a function in all others.
const programs = {
  echo: ['cat'],
  page: [
    'sh',
    '-c',
    String.raw`read -r _ path _; while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
      printf 'HTTP/1.0 200 OK\r\n\r\nYou asked for %s\n' "$path"`,
  ],
};
const clients = 4;

const [, , style, what] = process.argv;
if (!isWorker()) await (style === undefined ? main() : serve(style as StyleName, what as 'echo' | 'page'));

/** Each style in a program of its own: a forked child has all that its parent has, clients included. */
async function main(): Promise<void> {
  console.log('style       echo/s  median ms  page/s');
  for (const each of styles) {
    const requests = each === 'process' ? 4 : each === 'fork' ? 20 : 100;
    const echoed = await measure(each, 'echo', requests);
    const served = await measure(each, 'page', requests);
    const columns = [echoed.perSecond.toFixed(0), echoed.median.toFixed(2), served.perSecond.toFixed(0)];
    console.log(each.padEnd(12) + columns.map((text, i) => text.padStart([6, 11, 8][i]!)).join(''));
  }
}

async function serve(chosen: StyleName, name: 'echo' | 'page'): Promise<void> {
  const handler: Handler<Socket> = chosen === 'subprocess' ? programs[name] : { echo, page }[name];
  const server = new TCPServer(['127.0.0.1', 0], handler, { style: chosen, workers: 2, startMethod: 'forkserver' });
  process.once('disconnect', () => void server.shutdown());
  await server.start();
  process.send!(server.serverAddress);
}

async function measure(chosen: StyleName, name: 'echo' | 'page', requests: number) {
  const execArgv = chosen === 'fork' ? [...forkFlags] : [];
  const child = fork(import.meta.filename, [chosen, name], { execArgv });
  const [address] = (await once(child, 'message')) as [InetAddress];
  await request(address, name); // the first one warms up
  const times: number[] = [];
  const start = performance.now();
  const client = async () => {
    while (times.length < requests) times.push(await request(address, name));
  };
  await Promise.all(Array.from({ length: clients }, client));
  const perSecond = times.length / ((performance.now() - start) / 1000);
  child.disconnect();
  await once(child, 'exit');
  return { perSecond, median: times.sort((a, b) => a - b)[Math.floor(times.length / 2)]! };
}

async function request(address: InetAddress, name: 'echo' | 'page'): Promise<number> {
  const start = performance.now();
  using connection = await createConnection(address);
  await connection.sendall(name === 'echo' ? 'hello' : 'GET /styles HTTP/1.0\r\n\r\n');
  if (name === 'echo') connection.shutdown(SHUT_WR);
  const pieces: Buffer[] = [];
  for await (const piece of connection) pieces.push(piece);
  const answer = Buffer.concat(pieces).toString();
  if (!/^hello$|You asked for \/styles\n$/.test(answer)) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  return performance.now() - start;
}
