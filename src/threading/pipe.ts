import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { ConnectionParts } from '../ipc/connection.ts';
import { SharedConnection } from '../ipc/connection.ts';
import type { PassedConnection, PipeOptions } from '../ipc/pipe.ts';
import { passConnection, pipeParts, receivedParts } from '../ipc/pipe.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';

/**
 * Two connected ends between threads of this process: with `duplex` both send and receive, else the first only receives
 * and the second only sends. Close an end wherever it is not used, or the other side never sees the end.
 * (multiprocessing.Pipe)
 *
 * @example
 * const [ours, theirs] = Pipe<string>();
 * new Thread(child, [theirs]).start();
 * await ours.send('hello');
 */
export function Pipe<T = unknown>(duplex = true, options: PipeOptions = {}): [Connection<T>, Connection<T>] {
  const [first, second] = pipeParts((bytes) => new ThreadRegion(bytes), duplex, options);
  return [new Connection<T>(first), new Connection<T>(second)];
}

/**
 * One end of a `Pipe`; pass it as an argument. (multiprocessing.connection.Connection)
 *
 * @example
 * for await (const message of connection) await connection.send(answer(message));
 */
export class Connection<T = unknown> extends SharedConnection<T> implements Shareable {
  /** @internal */
  constructor(parts: ConnectionParts, arrived = false) {
    super(parts, arrived);
  }

  [shareable](to: Destination): PackedShareable {
    return passConnection('threading.Connection', import.meta.url, this, to);
  }
}

onArrival('threading.Connection', (passed: PassedConnection) => new Connection(receivedParts(passed), true));
