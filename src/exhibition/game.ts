import { Chess } from 'chess.js';
import { seeded } from '../base/virtual-clock.ts';

/** What the simulation needs to know of a board. */
export interface Table {
  /** What the master looks at. */
  readonly position: string;
  /** The game has ended on the board: nobody has a move, or nobody can win. */
  readonly over: boolean;
  /** Throws if the move is not legal. */
  playMaster(move: string): void;
  playGuest(): void;
}

/** A game of chess by the rules of the chess library; the master is White, the guest moves at random from a seed. */
export class Game implements Table {
  readonly #chess = new Chess();
  readonly #random: () => number;

  /** `number` counts the boards from 1; a guest's moves depend on it and the seed, and on nothing else. */
  constructor(number: number, seed: number) {
    this.#random = seeded(Math.imul(seed, 0x9e3779b1) + number);
    this.#chess.setHeader('Event', 'Simul exhibition');
    this.#chess.setHeader('Round', String(number));
    this.#chess.setHeader('White', 'Master');
    this.#chess.setHeader('Black', `Guest ${number}`);
  }

  get position(): string {
    return this.#chess.fen();
  }

  // Threefold repetition and fifty moves have to be claimed, and nobody here does.
  get over(): boolean {
    return this.#chess.isInsufficientMaterial() || this.#chess.isCheckmate() || this.#chess.isStalemate();
  }

  playMaster(move: string): void {
    this.#chess.move({ from: move.slice(0, 2), to: move.slice(2, 4), ...(move.length > 4 && { promotion: move[4]! }) });
  }

  playGuest(): void {
    const moves = this.#chess.moves();
    this.#chess.move(moves[Math.floor(this.#random() * moves.length)]!);
  }

  /** The game as PGN; `*` stands for one that was not played to its end. */
  pgn(): string {
    if (this.#chess.isCheckmate()) this.#chess.setHeader('Result', this.#chess.turn() === 'b' ? '1-0' : '0-1');
    else if (this.over) this.#chess.setHeader('Result', '1/2-1/2');
    return this.#chess.pgn({ maxWidth: 100 });
  }
}
