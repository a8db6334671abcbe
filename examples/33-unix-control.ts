// A service that is controlled through a UNIX socket, as many daemons are. Run: node dist/examples/33-unix-control.js
import { createConnection } from 'simul/socket';
import { StreamRequestHandler, UnixStreamServer } from 'simul/socketserver';

const path = './control.sock';
let level = 'info';
const started = performance.now();

class Control extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) this.wfile.write(`${answer(String(line).trim())}\n`);
  }
}

function answer(command: string): string {
  const [verb, ...args] = command.split(' ');
  if (verb === 'status')
    return `running, level ${level}, up ${performance.now() > started ? 'for a while' : 'not at all'}`;
  if (verb === 'level' && args.length === 1) return `level was ${level}, is ${(level = args[0]!)}`;
  if (verb === 'stop') {
    void server.shutdown({ why: 'told so through the control socket' });
    return 'stopping';
  }
  return `unknown command ${JSON.stringify(command)}: status, level LEVEL, stop`;
}

// A file left by a service that died is replaced; while one is alive a second is refused (EADDRINUSE).
const server = new UnixStreamServer(path, Control);
const serving = server.serveForever();
await server.start();
await new UnixStreamServer(path, Control).start().catch((error: Error) => console.log(error.message));
for (const command of ['status', 'level debug', 'dance', 'stop']) console.log(`${command}: ${await tell(command)}`);
await serving;
console.log('stopped:', (await server.stopped).why);

async function tell(command: string): Promise<string> {
  using connection = await createConnection(path);
  await connection.sendall(`${command}\n`);
  const pieces: string[] = [];
  while (!pieces.join('').endsWith('\n')) pieces.push(String(await connection.recv(1024, { timeout: 5 })));
  return pieces.join('').trim();
}
