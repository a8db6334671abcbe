// A chat over TCP: what one says, all others hear. Run: node dist/examples/30-tcp-chat.js
import type { InetAddress } from 'simul/socket';
import { createConnection } from 'simul/socket';
import { StreamRequestHandler, TCPServer } from 'simul/socketserver';

const room = new Map<string, Member>();

class Member extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const name = String(await this.rfile.readline()).trim();
    say(`${name} has come`, this);
    room.set(name, this);
    this.wfile.write('welcome\n');
    for await (const line of this.rfile) say(`${name}: ${String(line).trim()}`, this);
    room.delete(name);
    say(`${name} has left`, this);
  }
}

function say(text: string, from: Member): void {
  // A member who does not read keeps nobody waiting: what it misses stays in its own buffer.
  for (const member of room.values()) if (member !== from) member.wfile.write(`${text}\n`);
}

await using server = new TCPServer(['127.0.0.1', 0], Member, { maxClients: 100, timeout: 60 });
await server.start();

const ann = await join('Ann');
const bob = await join('Bob');
console.log('Ann hears', await ann.hear());
bob.say('hello Ann');
console.log('Ann hears', await ann.hear());
ann.say('hello Bob');
console.log('Bob hears', await bob.hear());
bob.leave();
console.log('Ann hears', await ann.hear());
ann.leave();

async function join(name: string) {
  const connection = await createConnection(server.serverAddress as InetAddress, { timeout: 5 });
  const [reader, writer] = connection.makeStreams();
  writer.write(`${name}\n`);
  await reader.readline(); // welcome: the room knows the name
  return {
    say: (text: string) => writer.write(`${text}\n`),
    hear: async () => String(await reader.readline({ timeout: 5 })).trim(),
    leave: () => writer.close(),
  };
}
