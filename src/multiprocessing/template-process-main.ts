// What the template of start method "forkserver" runs: it imports the modules it is told to, and forks.
import { createConnection } from 'node:net';
import { importModule } from '../callable/module.ts';
import { FramedConnection } from '../ipc/framed-connection.ts';
import { fork } from '../os/fork.ts';
import { waitpid } from '../os/wait.ts';
import { serveForked } from './serve-forked.ts';
import type { TemplateReport, TemplateRequest } from './template-protocol.ts';

// What every child needs: once imported here it is there already.
let ready: Promise<unknown> = import('./run-process.ts');

process.on('message', (request: TemplateRequest) => {
  ready = ready.then(() => (request.kind === 'preload' ? preload(request.modules) : forkOne(request)));
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole foreground group; the parent decides what becomes of its children.
process.on('SIGINT', () => {});

async function preload(modules: readonly string[]): Promise<void> {
  for (const url of modules) {
    try {
      await importModule(url);
    } catch (error) {
      process.stderr.write(`forkserver: ${url} could not be imported: ${String(error)}\n`);
    }
  }
}

// A child has inherited the requests that follow its own: they are the template's.
let isChild = false;

function forkOne({ id, address, token }: TemplateRequest & { kind: 'fork' }): void {
  if (isChild) return;
  let pid: number;
  try {
    pid = fork();
  } catch (error) {
    return report({ kind: 'failed', id, message: (error as Error).message });
  }
  if (pid === 0) return becomeChild(address, token);
  report({ kind: 'forked', id, pid });
  void waitpid(pid).then(([, status]) => report({ kind: 'exited', id, status }));
}

function report(message: TemplateReport): void {
  if (process.connected) process.send!(message);
}

// The template's channel is the template's; the child's own is a socket, over which it first says which child it is.
function becomeChild(address: string, token: string): void {
  isChild = true;
  process.removeAllListeners('message');
  process.removeAllListeners('disconnect');
  process.disconnect();
  serveForked(new FramedConnection(createConnection({ path: address })), Buffer.from(token, 'hex'));
}
