import { portable } from '../../../src/entry/callable.ts';
import type { Socket } from '../../../src/entry/socket.ts';

export const echo = portable(import.meta, 'echo', async (connection: Socket): Promise<void> => {
  connection.setOptions({ noDelay: true });
  for (;;) {
    const data = await connection.recv(65_536);
    if (data.length === 0) return;
    await connection.sendall(data);
  }
});
