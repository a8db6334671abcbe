// A name service over UDP, as DNS is: questions have numbers, and what gets lost is asked again. Run: node dist/examples/31-udp-lookup.js
import type { InetAddress } from 'simul/socket';
import { AF_INET, SOCK_DGRAM, socket, TimeoutError } from 'simul/socket';
import { UDPServer } from 'simul/socketserver';

const table: Readonly<Record<string, string>> = { 'printer.office': '10.0.0.7', 'door.office': '10.0.0.9' };
let questions = 0;

await using server = new UDPServer(['127.0.0.1', 0], async ([question, reply], client) => {
  if (++questions === 1) return; // the first datagram is lost on its way
  const number = question.readUInt16BE();
  const answer = table[question.toString('utf8', 2)] ?? '';
  await reply.sendto(packet(number, answer), client);
});
await server.start();

for (const name of ['printer.office', 'door.office', 'nobody.office']) {
  console.log(name, (await lookup(name, server.serverAddress as InetAddress)) ?? 'does not exist');
}

async function lookup(name: string, nameserver: InetAddress): Promise<string | undefined> {
  using client = socket(AF_INET, SOCK_DGRAM);
  await client.connect(nameserver); // answers of anybody else are not let through
  const number = Math.floor(Math.random() * 65_536);
  for (let attempt = 1; attempt <= 4; attempt++) {
    await client.send(packet(number, name));
    try {
      for (;;) {
        const answer = await client.recv(512, { timeout: 0.1 * 2 ** attempt });
        // An answer to an earlier question may come late.
        if (answer.readUInt16BE() === number) return answer.toString('utf8', 2) || undefined;
      }
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      console.log(`no answer about ${name}, asking again`);
    }
  }
  throw new Error(`${nameserver.join(':')} does not answer`);
}

function packet(number: number, text: string): Buffer {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(text));
  bytes.writeUInt16BE(number);
  bytes.write(text, 2);
  return bytes;
}
