import type { Clock } from '../../base/clock.ts';
import type { Simul } from '../../tasks/app.ts';
import type { Backend } from '../../tasks/backend.ts';
import type { LamportClock } from '../../tasks/control/lamport-clock.ts';
import type { Dispatcher } from '../dispatcher.ts';
import type { WorkerSettings } from '../options.ts';
import type { RevokedIds } from '../revoked.ts';

/** What the remote commands of a worker work on. */
export interface ControlTarget {
  readonly app: Simul;
  readonly backend: Backend;
  readonly settings: WorkerSettings;
  readonly dispatcher: Dispatcher;
  readonly revoked: RevokedIds;
  readonly clock: Clock;
  readonly lamport: LamportClock;
  /** Begins a warm stop. */
  stop(why: string): void;
  /** Tells the fleet at once that this worker lives. */
  beat(): void;
}
