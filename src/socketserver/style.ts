import type { ServerSettings } from './options.ts';
import type { Request } from './request.ts';
import type { RequestHandler } from './handlers.ts';
import type { Socket } from '../socket/socket.ts';

/** One way of serving clients; the implementations are in `styles/`. */
export interface Style {
  /**
   * Serves to the end, and closes the connection, which it owns from the call on. Rejects with what the handler threw, or with
   * what became of the thread or process. `request.onCancel` ends it early.
   */
  serve(request: Request): Promise<void>;
  /** Ends its threads and processes; by then nothing runs any more. */
  close(): Promise<void>;
}

/** What a style is made of. */
export interface StyleParts {
  /** A function, or the command of style `subprocess`. */
  readonly handler: RequestHandler<never> | readonly string[];
  readonly settings: ServerSettings;
  /** What a forked child has to let go of. */
  readonly listener: Socket;
}

/** Makes the style that was chosen; what it needs is loaded only then. */
export async function startStyle(parts: StyleParts): Promise<Style> {
  return loaders[parts.settings.style](parts);
}

const here = async (parts: StyleParts) => (await import('./styles/here.ts')).serveHere(parts);

const loaders: Readonly<Record<ServerSettings['style'], (parts: StyleParts) => Promise<Style>>> = {
  async: here,
  sequential: here,
  fork: async (parts) => (await import('./styles/fork.ts')).serveByFork(parts),
  process: async (parts) => (await import('./styles/processes.ts')).serveByNewProcesses(parts),
  processes: async (parts) => (await import('./styles/processes.ts')).serveByProcessPool(parts),
  subprocess: async (parts) => (await import('./styles/subprocess.ts')).serveByPrograms(parts),
  threads: async (parts) => (await import('./styles/threads.ts')).serveByThreads(parts),
};
