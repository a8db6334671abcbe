import type { Address } from '../../src/entry/socket.ts';
import { createConnection } from '../../src/entry/socket.ts';

/** Sends a message and gives what comes back first; an empty text is the end of the connection. */
export async function ask(address: Address, message: string): Promise<string> {
  using client = await createConnection(address, { timeout: 10 });
  await client.sendall(message);
  return (await client.recv(1024, { timeout: 20 })).toString();
}
