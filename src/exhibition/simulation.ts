import { setMaxListeners } from 'node:events';
import type { Clock } from '../base/clock.ts';
import { Deque } from '../base/deque.ts';
import type { VirtualClock } from '../base/virtual-clock.ts';
import type { Table } from './game.ts';

/** How an exhibition goes: moves a board, and the simulated seconds that the master and a guest take for one. */
export interface Pace {
  readonly moves: number;
  readonly master: number;
  readonly opponent: number;
}

/** The masters, as many as can think at the same time; where they think is the only difference between the modes. */
export interface Masters {
  readonly count: number;
  think(position: string): Promise<string>;
}

export interface Simulation {
  readonly pace: Pace;
  readonly masters: Masters;
  /** With `autoJump`; the exhibition's time is read off it, and real thinking holds it. */
  readonly clock: VirtualClock;
  readonly signal?: AbortSignal | undefined;
  /** Called after each of the master's moves. */
  readonly moved?: (() => void) | undefined;
}

/** One board after another: the master waits for the guest's answer before anything else. */
export async function playInTurn(tables: readonly Table[], simulation: Simulation): Promise<void> {
  for (const table of tables) await playTable(table, new Chairs(simulation.masters.count), simulation);
}

/** All boards at once: a master who has moved goes on to the board that has waited longest. */
export async function playTogether(tables: readonly Table[], simulation: Simulation): Promise<void> {
  const chairs = new Chairs(simulation.masters.count);
  const failed = new AbortController();
  const signal = simulation.signal ? AbortSignal.any([simulation.signal, failed.signal]) : failed.signal;
  setMaxListeners(0, signal); // every board listens; that is not a leak
  const plays = tables.map((table) => playTable(table, chairs, { ...simulation, signal }));
  for (const play of plays) play.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(plays);
  signal.throwIfAborted();
}

async function playTable(table: Table, chairs: Chairs, simulation: Simulation): Promise<void> {
  const { pace, clock, signal, moved } = simulation;
  for (let move = 0; move < pace.moves && !table.over; move++) {
    await chairs.take();
    try {
      signal?.throwIfAborted();
      table.playMaster(await ponder(table.position, simulation));
    } finally {
      chairs.leave();
    }
    moved?.();
    if (table.over) return;
    await sleep(clock, pace.opponent, signal);
    table.playGuest();
  }
}

// The thinking begins at the start of the master's time and is waited for at its end, with the clock held: whatever
// else happens in between can happen meanwhile, so that several masters really think side by side.
async function ponder(position: string, { pace, masters, clock, signal }: Simulation): Promise<string> {
  const thought = masters.think(position);
  thought.catch(() => {}); // looked at below; until then a failure is nobody's unhandled rejection
  await sleep(clock, pace.master, signal);
  return clock.hold(thought);
}

async function sleep(clock: Clock, seconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      timer.cancel();
      reject(signal!.reason as Error);
    };
    const timer = clock.setTimer(seconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A fair semaphore: one chair a master, given up in the order in which the boards asked. */
class Chairs {
  #free: number;
  readonly #waiting = new Deque<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
