import type { Destination, PackedShareable } from '../callable/shareable.ts';
import type { ConnectionParts, SharedConnection } from './connection.ts';
import { END_BYTES, startRing } from './connection.ts';
import { pass, received } from './passing.ts';
import type { Region, RegionHandle } from './region.ts';
import { ringBytes } from './ring.ts';

/** Options of `Pipe`. */
export interface PipeOptions {
  /** Bytes under way in each direction (default 1 MiB); a message may take up to half. */
  readonly capacity?: number;
}

/** An end of a pipe on its way. */
export interface PassedConnection {
  readonly region: RegionHandle;
  readonly there: RegionHandle;
  readonly incoming: RegionHandle | undefined;
  readonly outgoing: RegionHandle | undefined;
}

/** The parts of the two ends of a new pipe; without `duplex` the first only receives and the second only sends. */
export function pipeParts(
  makeRegion: (bytes: number) => Region,
  duplex: boolean,
  { capacity = 1 << 20 }: PipeOptions,
): readonly [ConnectionParts, ConnectionParts] {
  const ring = () => startRing(makeRegion(ringBytes(capacity)), capacity);
  const toFirst = ring();
  const toSecond = duplex ? ring() : undefined;
  const first = makeRegion(END_BYTES);
  const second = makeRegion(END_BYTES);
  return [
    { incoming: toFirst, outgoing: toSecond, here: first, there: second },
    { incoming: toSecond, outgoing: toFirst, here: second, there: first },
  ];
}

/** Packs an end, which counts as open while it is on its way. */
export function passConnection(
  kind: string,
  module: string,
  connection: SharedConnection<unknown>,
  to: Destination,
): PackedShareable {
  const { incoming, outgoing, here, there } = connection.parts;
  const rest = { incoming: incoming?.handle(), outgoing: outgoing?.handle(), there: there.handle() };
  const packed = pass(kind, module, here, to, rest);
  connection.depart();
  return packed;
}

/** The parts of an end that has arrived. */
export function receivedParts({ region, there, incoming, outgoing }: PassedConnection): ConnectionParts {
  return {
    incoming: incoming && received({ region: incoming }),
    outgoing: outgoing && received({ region: outgoing }),
    here: received({ region }),
    there: received({ region: there }),
  };
}
