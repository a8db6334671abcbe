import { within } from '../base/deadline.ts';
import type { Host } from '../callable/host.ts';

/** A thread or process that serves, and how to reach it. */
export interface Member {
  readonly host: Host;
  /** What it has under way. */
  readonly running: number;
  /** Settles when nothing is under way. */
  idle(): Promise<void>;
  /** Lets go of what connects us with it. */
  release(): void;
}

/** Threads or processes of one kind. Who serves least gets the next client; one that died is replaced. */
export class Crew<M extends Member> {
  readonly #hire: () => Promise<M>;
  readonly #places: (M | undefined)[];

  constructor(size: number, hire: () => Promise<M>) {
    this.#hire = hire;
    this.#places = Array.from({ length: size });
  }

  /** Starts all; if one cannot, none is left. */
  async start(): Promise<void> {
    const places = await Promise.allSettled(this.#places.map(() => this.#hire()));
    for (const [i, place] of places.entries()) {
      if (place.status === 'fulfilled') this.#take(i, place.value);
    }
    const failed = places.find((place) => place.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  /** The member with the least to do. */
  async pick(): Promise<M> {
    let best: M | undefined;
    for (const member of this.#places) {
      if (member !== undefined && (best === undefined || member.running < best.running)) best = member;
    }
    const vacant = this.#places.indexOf(undefined);
    if (vacant < 0 && best !== undefined) return best;
    // Somebody else may fill the place meanwhile; one too many does no harm.
    const member = await this.#hire();
    this.#take(vacant < 0 ? 0 : vacant, member);
    return member;
  }

  async close(): Promise<void> {
    const members = this.#places.splice(0);
    await Promise.all(
      members.map(async (member) => {
        if (member === undefined) return;
        await closeMember(member);
      }),
    );
  }

  #take(place: number, member: M): void {
    this.#places[place] = member;
    void member.host.exited.then(() => {
      member.release();
      if (this.#places[place] === member) this.#places[place] = undefined;
    });
  }
}

/** Ends a thread or process. What was given up gets a moment to let go of its connection; what runs on is ended by force. */
export async function closeMember(member: Member): Promise<void> {
  await within(member.idle(), { timeout: secondsToLetGo }).catch(() => {});
  await member.host.close({ timeout: secondsToLetGo }).catch(() => member.host.terminate());
  member.release();
}

const secondsToLetGo = 2;
