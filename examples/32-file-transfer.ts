// A file over TCP: name, size, bytes, checksum; the receiver says whether it has the same. Run: node dist/examples/32-file-transfer.js
import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { InetAddress, Socket } from 'simul/socket';
import { createConnection } from 'simul/socket';
import { TCPServer } from 'simul/socketserver';

const chunk = 1 << 18;

await using server = new TCPServer(['127.0.0.1', 0], receive, { timeout: 10, maxClients: 4 });
await server.start();
await writeFile('song.raw', randomBytes(10_000_000));
console.log('sent:', await send('song.raw', server.serverAddress as InetAddress));
console.log('the same:', (await readFile('song.raw')).equals(await readFile('received-song.raw')));

async function send(path: string, address: InetAddress): Promise<string> {
  using connection = await createConnection(address, { timeout: 5 });
  await using file = await open(path);
  const { size } = await file.stat();
  const name = Buffer.from(basename(path));
  const header = Buffer.alloc(10);
  header.writeUInt16BE(name.length);
  header.writeBigUInt64BE(BigInt(size), 2);
  await connection.sendall(Buffer.concat([header, name]));
  const sum = createHash('sha256');
  for (let left = size; left > 0;) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(Math.min(chunk, left)) });
    const piece = buffer.subarray(0, bytesRead);
    sum.update(piece);
    await connection.sendall(piece); // waits while the receiver cannot keep up
    left -= bytesRead;
  }
  await connection.sendall(sum.digest());
  return (await connection.recvExactly(2, { timeout: 10 })).toString();
}

async function receive(connection: Socket): Promise<void> {
  const header = await connection.recvExactly(10);
  const name = basename((await connection.recvExactly(header.readUInt16BE())).toString()); // no way out of the folder
  await using file = await open(`${name}.part`, 'w');
  const sum = createHash('sha256');
  for (let left = Number(header.readBigUInt64BE(2)); left > 0;) {
    const data = await connection.recv(Math.min(chunk, left));
    if (data.length === 0) throw new Error(`${name} ended ${left} bytes early`);
    sum.update(data);
    await file.write(data);
    left -= data.length;
  }
  const same = sum.digest().equals(await connection.recvExactly(32));
  if (same) await rename(`${name}.part`, `received-${name}`);
  await connection.sendall(same ? 'OK' : 'NO');
}
