import { UnsupportedError, BrokenError } from '../../base/errors.ts';
import { exitNow, fork, whyNoFork } from '../../os/fork.ts';
import { libc } from '../../os/libc.ts';
import { withoutEpollInChild } from '../../os/epoll.ts';
import { silencePolls } from '../../os/poll.ts';
import { kill } from '../../os/process-ids.ts';
import { waitpid } from '../../os/wait.ts';
import { waitstatusToExitcode } from '../../os/wait-status.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import { showAddress } from '../../socket/address.ts';
import { socketpair } from '../../socket/pair.ts';
import type { Socket } from '../../socket/socket.ts';
import type { RequestHandler } from '../handlers.ts';
import { writeError } from '../report.ts';
import { Request } from '../request.ts';
import type { Serving } from '../serve.ts';
import type { Style, StyleParts } from '../style.ts';
import { serveIn } from './here.ts';

/** In a forked child for every client: it has all that the server had, and what it does there stays there. */
export async function serveByFork({ handler, settings, listener, becomeChild }: StyleParts): Promise<Style> {
  const reason = whyNoFork();
  if (reason !== undefined) throw new UnsupportedError(reason);
  await warmUp();
  const serving: Serving = { handler: handler as RequestHandler<never>, timeout: settings.timeout, ssl: settings.ssl };
  const waiting = new Set<Request>();
  let isChild = false;
  return {
    // At the start of a turn of the event loop: the child would run every promise job that is pending here.
    serve: (request) =>
      new Promise<void>((resolve, reject) => {
        waiting.add(request);
        setImmediate(() => {
          // The child comes by here too, for the requests of the same turn: they are the parent's.
          if (isChild) return;
          waiting.delete(request);
          try {
            const pid = withoutEpollInChild(fork);
            if (pid === 0) {
              isChild = true;
              becomeChild();
              forget(waiting);
              serveAsChild(serving, request, listener);
            } else waitForChild(pid, request).then(resolve, reject);
          } catch (error) {
            reject(error);
          }
        });
      }),
    close: async () => {},
  };
}

// Functions that were never called are compiled at their first call: in every child again, if not here. The median of a
// request goes down by more than a millisecond.
async function warmUp(): Promise<void> {
  const handler = async (connection: Socket): Promise<void> => {
    for (let data = await connection.recv(65_536); data.length > 0; data = await connection.recv(65_536)) {
      await connection.sendall(data);
    }
  };
  for (let i = 0; i < 10; i++) {
    const [client, served] = socketpair();
    if (i % 2 === 0) await client.sendall('x');
    const serving = serveIn({ handler }, new Request({ kind: 'connection', connection: served, address: '' }));
    if (i % 2 === 1) await client.sendall('x');
    await client.recv(1);
    client.close();
    await serving;
  }
}

async function waitForChild(pid: number, request: Request): Promise<void> {
  const { job } = request;
  if (job.kind === 'connection') job.connection.close();
  request.onCancel = () => kill(pid, 'SIGKILL');
  const [, status] = await waitpid(pid);
  const code = waitstatusToExitcode(status);
  if (code !== 0 && request.reason === undefined) {
    const how = code < 0 ? `was killed by signal ${-code}` : `exited with code ${code}`;
    throw new BrokenError(`process ${pid}, which served ${showAddress(job.address)}, ${how}`);
  }
}

// Their clients would not see the end of a connection that this child has open as well.
function forget(others: Iterable<Request>): void {
  for (const { job } of others) {
    if (job.kind === 'connection' && job.connection.fileno() >= 0) libc('int close(int fd)')(job.connection.fileno());
  }
}

// What the server goes on with is the parent's: here the request is all there is.
function serveAsChild(serving: Serving, request: Request, listener: Socket): void {
  silencePolls();
  // The bare descriptor: closing the socket object would remove the file of a UNIX socket, and wake who waits on it.
  if (listener.type !== SOCK_DGRAM && listener.fileno() >= 0) libc('int close(int fd)')(listener.fileno());
  serveIn(serving, request).then(
    () => exitNow(0),
    (error: unknown) => {
      writeError(error, request.job.address);
      exitNow(1);
    },
  );
}
