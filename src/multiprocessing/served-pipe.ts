import type { WaitOptions } from '../base/deadline.ts';
import type { Served } from './object-server.ts';
import { currentClient, disconnected, waits } from './object-server.ts';
import { ServedQueue } from './served-queue.ts';

/** Which of the two ends. */
export type Side = 0 | 1;

/**
 * A pipe in the process that made it, where there is no shared memory. It counts who has which end open: an end is closed when all
 * have closed it or are gone, one on its way to a process counts as open.
 */
export class ServedPipe implements Served {
  readonly [waits] = ['send', 'recv', 'poll'];
  // What each side receives.
  readonly #incoming: readonly [ServedQueue, ServedQueue | undefined];
  readonly #open = [new Map<object, number>(), new Map<object, number>()] as const;
  readonly #underway: [number, number] = [0, 0];

  constructor(duplex: boolean, capacity: number) {
    const queue = () => new ServedQueue({ maxsize: 0, capacity, what: 'Pipe' });
    this.#incoming = [queue(), duplex ? queue() : undefined];
  }

  async send(side: Side, bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    await this.#incoming[other(side)]!.put(bytes, options);
  }

  async recv(side: Side, options?: WaitOptions): Promise<Uint8Array> {
    return this.#incoming[side]!.get(options);
  }

  async poll(side: Side, options?: WaitOptions): Promise<true> {
    return this.#incoming[side]!.poll(options);
  }

  /** Somebody has it, by arrival (`arrived`) or as its maker. */
  open(side: Side, arrived: boolean): void {
    if (arrived) this.#underway[side]--;
    this.#count(side, currentClient(), 1);
  }

  /** It is about to arrive somewhere else too. */
  depart(side: Side): void {
    this.#underway[side]++;
  }

  close(side: Side): void {
    this.#count(side, currentClient(), -1);
    this.#look(side);
  }

  [disconnected](client: object): void {
    for (const side of [0, 1] as const) if (this.#open[side].delete(client)) this.#look(side);
  }

  #count(side: Side, client: object, change: number): void {
    const count = (this.#open[side].get(client) ?? 0) + change;
    if (count > 0) this.#open[side].set(client, count);
    else this.#open[side].delete(client);
  }

  #look(side: Side): void {
    if (this.#open[side].size > 0 || this.#underway[side] > 0) return;
    this.#incoming[side]?.break();
    this.#incoming[other(side)]?.shutdown();
  }
}

function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}
