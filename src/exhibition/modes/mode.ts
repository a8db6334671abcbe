import type { Masters } from '../simulation.ts';

/** Masters that have been brought to where they think, and can be sent home again. */
export interface OpenMasters extends Masters, AsyncDisposable {}

export interface MastersOptions {
  /** As many masters as workers, where there are workers. */
  readonly workers: number;
  /** How many positions a master looks at for a move. */
  readonly nodes: number;
}

/** One way to hold the exhibition. */
export interface Mode {
  /** The boards wait for one another instead of being played together. */
  readonly inTurn?: boolean;
  open(options: MastersOptions): Promise<OpenMasters>;
}
