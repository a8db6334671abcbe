import { currentTask } from '../../asyncio/task.ts';
import type { RequestHandler } from '../handlers.ts';
import type { Request } from '../request.ts';
import type { Serving } from '../serve.ts';
import { serveConnection, serveDatagram } from '../serve.ts';
import type { Style, StyleParts } from '../style.ts';

/** On this event loop; the limit of clients makes it sequential or not. */
export function serveHere({ handler, settings }: StyleParts): Style {
  const serving: Serving = { handler: handler as RequestHandler<never>, timeout: settings.timeout, ssl: settings.ssl };
  return {
    serve: (request) => serveIn(serving, request),
    close: async () => {},
  };
}

/** Serves a request in this thread; `atEnd` as of `serveConnection`. */
export function serveIn(serving: Serving, request: Request, atEnd = false): Promise<void> {
  const { job } = request;
  if (job.kind === 'datagram') return serveDatagram(serving, [job.data, job.socket], job.address, request);
  const task = currentTask();
  request.onCancel = () => {
    job.connection.close();
    task?.cancel();
  };
  return serveConnection(serving, job.connection, job.address, request, atEnd);
}
