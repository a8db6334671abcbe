// `node echo-server.js ours|node-net`: an echo server that tells its port to the process that forked it.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { run, startServer } from '../../../src/entry/asyncio.ts';

process.on('disconnect', () => process.exit());

if (process.argv[2] === 'ours') await run(ours);
else raw();

async function ours(): Promise<void> {
  const server = await startServer(
    async (reader, writer) => {
      writer.getExtraInfo('socket').setNoDelay();
      for (;;) {
        const data = await reader.read(65_536);
        if (data.length === 0) return;
        writer.write(data);
        await writer.drain();
      }
    },
    { host: '127.0.0.1' },
  );
  process.send!(server.port);
  await server.serveForever();
}

function raw(): void {
  const server = createServer((socket) => {
    socket.setNoDelay();
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      if (socket.write(data)) return;
      socket.pause();
      socket.once('drain', () => socket.resume());
    });
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
}
