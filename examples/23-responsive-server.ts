// A web server that answers at once while heavy requests compute in processes. Run: node dist/examples/23-responsive-server.js
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TimeoutError } from 'simul/errors';
import { isWorker, portable } from 'simul/callable';
import { ProcessPoolExecutor } from 'simul/futures';

export const fibonacci = portable(import.meta, 'fibonacci', fib);

function fib(n: number): number {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

if (!isWorker()) await main();

async function main(): Promise<void> {
  // A request that computes for too long is ended, and so is one that takes too much memory; the server lives on.
  await using pool = new ProcessPoolExecutor({ maxWorkers: 2, timeout: 0.5, grace: 0.05, memoryLimit: 512 << 20 });
  const server = createServer((request, response) => void answer(pool, request, response)).listen(0);
  await once(server, 'listening');
  const base = `http://localhost:${(server.address() as AddressInfo).port}`;
  const get = async (path: string) => (await fetch(base + path)).text();

  const heavy = [get('/fibonacci/27'), get('/fibonacci/90')];
  console.log('light :', await get('/'));
  console.log('heavy :', await heavy[0]);
  console.log('endless:', await heavy[1]);
  console.log('after :', await get('/fibonacci/10'));
  server.close();
  server.closeAllConnections();
}

async function answer(pool: ProcessPoolExecutor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const n = /^\/fibonacci\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (n === undefined) return void response.end('hello');
  try {
    response.end(`fibonacci(${n}) = ${await pool.submit(fibonacci, Number(n))}`);
  } catch (error) {
    response.statusCode = error instanceof TimeoutError ? 503 : 500;
    response.end(error instanceof TimeoutError ? 'that takes too long' : 'that failed');
  }
}
