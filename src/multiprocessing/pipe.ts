import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { ConnectionParts } from '../ipc/connection.ts';
import { SharedConnection } from '../ipc/connection.ts';
import type { PassedConnection, PipeOptions } from '../ipc/pipe.ts';
import { passConnection, pipeParts, receivedParts } from '../ipc/pipe.ts';
import { ProcessRegion, whyNoSharedMemory } from '../ipc/process-region.ts';
import { socketPipe } from './socket-connection.ts';

/**
 * Two connected ends between processes or threads: with `duplex` both send and receive, else the first only receives
 * and the second only sends. Close an end wherever it is not used, or the other side never sees the end.
 * (multiprocessing.Pipe)
 *
 * @example
 * const [ours, theirs] = Pipe<string>();
 * new Process(child, [theirs]).start();
 * await ours.send('hello');
 */
export function Pipe<T = unknown>(duplex = true, options: PipeOptions = {}): [Connection<T>, Connection<T>] {
  if (whyNoSharedMemory() !== undefined) {
    return socketPipe<T>(duplex, options.capacity) as unknown as [Connection<T>, Connection<T>];
  }
  const [first, second] = pipeParts((bytes) => new ProcessRegion(bytes), duplex, options);
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
    return passConnection('multiprocessing.Connection', import.meta.url, this, to);
  }
}

onArrival('multiprocessing.Connection', (passed: PassedConnection) => new Connection(receivedParts(passed), true));
