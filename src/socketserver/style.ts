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

/** A field rather than a function: that would be compiled in each forked child. */
export interface ServerOwner {
  /** The requests are the parent's, but for the one that this child was made for. */
  inChild: boolean;
}

/** What a style is made of. */
export interface StyleParts {
  /** A function, or the command of style `subprocess`. */
  readonly handler: RequestHandler<never> | readonly string[];
  readonly settings: ServerSettings;
  /** What a forked child has to let go of. */
  readonly listener: Socket;
  /** Whether this is the process that the server is served in. */
  readonly owner: ServerOwner;
}
