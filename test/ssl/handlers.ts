// What servers of every style serve under TLS: threads and processes import this module.
import { createHash } from 'node:crypto';
import { portable } from '../../src/entry/callable.ts';
import type { Socket } from '../../src/entry/socket.ts';
import { requestHandler, StreamRequestHandler } from '../../src/entry/socketserver.ts';
import type { SSLContext } from '../../src/entry/ssl.ts';
import { createDefaultContext, getpeercert, Purpose } from '../../src/entry/ssl.ts';

let made: SSLContext | undefined;

/** From the files that the environment names, once in each thread or process. */
export const serverTls = portable(import.meta, 'serverTls', (): SSLContext => {
  const folder = process.env['SIMUL_TEST_CERTS']!;
  const files = { cafile: `${folder}/ca.pem`, cert: `${folder}/server.pem`, keyfile: `${folder}/server.key` };
  made ??= createDefaultContext({ purpose: Purpose.CLIENT_AUTH, ...files });
  return made;
});

/** Tells the client its name, then echoes. */
export const greet = portable(import.meta, 'greet', async (connection: Socket): Promise<void> => {
  await connection.sendall(`hello ${String(getpeercert(connection.secured!)?.subject['CN'])}\n`);
  for await (const data of connection) await connection.sendall(data);
});

class Digest extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const size = Number(await this.rfile.readline());
    const data = await this.rfile.readexactly(size);
    this.wfile.write(createHash('sha256').update(data).digest());
  }
}

/** Answers so many bytes with their SHA-256. */
export const digest = portable(import.meta, 'digest', requestHandler(Digest));
