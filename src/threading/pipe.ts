import type { Destination, PackedShareable, Shareable } from '../callable/shareable.ts';
import { onArrival, shareable } from '../callable/shareable.ts';
import type { ConnectionParts } from '../ipc/connection.ts';
import { END_BYTES, SharedConnection, startRing } from '../ipc/connection.ts';
import { pass, received } from '../ipc/passing.ts';
import { ThreadRegion } from '../ipc/thread-region.ts';
import type { RegionHandle } from '../ipc/region.ts';
import { ringBytes } from '../ipc/ring.ts';

/** Options of `Pipe`. */
export interface PipeOptions {
  /** Bytes under way in each direction (default 1 MiB); a message may take up to half. */
  readonly capacity?: number;
}

/**
 * Two connected ends between threads of this process: with `duplex` both send and receive, else the first only receives
 * and the second only sends. Close an end wherever it is not used, or the other side never sees the end.
 * (multiprocessing.Pipe)
 *
 * @example
 * const [ours, theirs] = Pipe<string>();
 * new Process(child, [theirs]).start();
 * await ours.send('hello');
 */
export function Pipe<T = unknown>(
  duplex = true,
  { capacity = 1 << 20 }: PipeOptions = {},
): [Connection<T>, Connection<T>] {
  const ring = () => startRing(new ThreadRegion(ringBytes(capacity)), capacity);
  const toFirst = ring();
  const toSecond = duplex ? ring() : undefined;
  const first = new ThreadRegion(END_BYTES);
  const second = new ThreadRegion(END_BYTES);
  return [
    new Connection<T>({ incoming: toFirst, outgoing: toSecond, here: first, there: second }),
    new Connection<T>({ incoming: toSecond, outgoing: toFirst, here: second, there: first }),
  ];
}

/** One end of a `Pipe`; pass it as an argument. (multiprocessing.connection.Connection) */
export class Connection<T = unknown> extends SharedConnection<T> implements Shareable {
  /** @internal */
  constructor(parts: ConnectionParts, arrived = false) {
    super(parts, arrived);
  }

  [shareable](to: Destination): PackedShareable {
    const { incoming, outgoing, here, there } = this.parts;
    const rest = { incoming: incoming?.handle(), outgoing: outgoing?.handle(), there: there.handle() };
    const packed = pass('threading.Connection', import.meta.url, here, to, rest);
    this.depart();
    return packed;
  }
}

interface PassedConnection {
  readonly region: RegionHandle;
  readonly there: RegionHandle;
  readonly incoming: RegionHandle | undefined;
  readonly outgoing: RegionHandle | undefined;
}

onArrival('threading.Connection', ({ region, there, incoming, outgoing }: PassedConnection) => {
  const parts: ConnectionParts = {
    incoming: incoming && received({ region: incoming }),
    outgoing: outgoing && received({ region: outgoing }),
    here: received({ region }),
    there: received({ region: there }),
  };
  return new Connection(parts, true);
});
