import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { onFreshStart } from '../base/fresh-start.ts';
import { atExit } from '../os/at-exit.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { socketAddress } from './listener.ts';
import type { ServerAddress } from './object-link.ts';
import { callServed } from './object-link.ts';
import type { Served } from './object-server.ts';
import { ObjectServer } from './object-server.ts';

/** A served object from anywhere: in the process that made it, and elsewhere. */
export interface Remote {
  readonly server: ServerAddress;
  readonly id: number;
}

/** Makes an object of this process known to others. */
export function serveHere(object: Served): Remote {
  const { server, address } = (local ??= start());
  void server.listen();
  return { server: address, id: server.add(object) };
}

/** Calls it from another thread or process. */
export function callRemote(
  { server, id }: Remote,
  method: string,
  args: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<unknown> {
  return callServed(server, id, method, args, signal);
}

let local: { readonly server: ObjectServer; readonly address: ServerAddress } | undefined;

function start(): NonNullable<typeof local> {
  const [address, authkey] = [socketAddress(), randomBytes(32).toString('hex')];
  if (process.platform !== 'linux' && process.platform !== 'win32') atExit(() => removeFile(address));
  const what = `process ${process.pid}, which made the queue or pipe,`;
  return { server: new ObjectServer({ address, authkey }), address: { address, authkey, what } };
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Nobody has listened there.
  }
}

registerAtFork({ afterInChild: () => (local = undefined) });
onFreshStart(() => (local = undefined));
