import { worth } from './evaluation.ts';

// A piece is its kind plus its colour; 0 is an empty square.
export const pawn = 1;
export const knight = 2;
export const bishop = 3;
export const rook = 4;
export const queen = 5;
export const king = 6;
export const white = 0;
export const black = 8;

/** A move in one number: from, to, and what a pawn becomes. */
export type Move = number;

export function moveOf(from: number, to: number, promotion = 0): Move {
  return from | (to << 7) | (promotion << 14);
}

/** As UCI engines write it: `e2e4`, `a7a8q`. */
export function moveText(move: Move): string {
  const promotion = move >> 14;
  return squareName(move & 127) + squareName((move >> 7) & 127) + (promotion === 0 ? '' : letters[promotion]!);
}

const letters = '.pnbrqk';

interface Undo {
  readonly move: Move;
  readonly moved: number;
  readonly captured: number;
  readonly castling: number;
  readonly passant: number;
  readonly score: number;
}

/**
 * The searcher's board. Squares are numbered `16 × rank + file` ("0x88": a square is off the board exactly if it has
 * a bit of 0x88), so that stepping over an edge costs one test. The rules of the game proper are the chess library's;
 * this one exists because a search needs a hundred times the speed.
 */
export class Board {
  readonly squares = new Int8Array(128);
  readonly kings: [number, number] = [0, 0];
  side = white;
  /** 1 and 2: White may castle on the king's and the queen's side; 4 and 8: Black. */
  castling = 0;
  /** The square a pawn has just jumped over, or -1. */
  passant = -1;
  /** Material and placement as White sees it, in hundredths of a pawn; kept up to date by every move. */
  score = 0;
  readonly #undos: Undo[] = [];

  /** Reads the first four fields of a FEN (PGN standard, section 16.1). */
  static fromFen(fen: string): Board {
    const [placement = '', side, castling = '', passant = '-'] = fen.split(' ');
    const board = new Board();
    let square = 7 * 16;
    for (const letter of placement) {
      if (letter === '/') square = (square & 0x70) - 16;
      else if (letter >= '1' && letter <= '8') square += Number(letter);
      else board.#put(square++, pieceOf(letter));
    }
    board.side = side === 'w' ? white : black;
    for (const letter of castling) board.castling |= letter === '-' ? 0 : 1 << 'KQkq'.indexOf(letter);
    if (passant !== '-') board.passant = squareOf(passant);
    return board;
  }

  make(move: Move): void {
    const from = move & 127;
    const to = (move >> 7) & 127;
    const { squares, side, castling, passant, score } = this;
    const moved = squares[from]!;
    const captured = squares[to]!;
    this.#undos.push({ move, moved, captured, castling, passant, score });
    this.#take(to);
    this.#take(from);
    this.#put(to, move >> 14 === 0 ? moved : (move >> 14) | side);
    this.castling &= kept[from]! & kept[to]!;
    this.passant = -1;
    if ((moved & 7) === pawn) this.#pawnExtras(from, to, passant);
    if ((moved & 7) === king && Math.abs(to - from) === 2) this.#moveRook(...rookJump(from, to));
    this.side ^= black;
  }

  unmake(): void {
    const { move, moved, captured, castling, passant, score } = this.#undos.pop()!;
    const from = move & 127;
    const to = (move >> 7) & 127;
    this.side ^= black;
    this.squares[from] = moved;
    this.squares[to] = captured;
    this.castling = castling;
    this.passant = passant;
    if ((moved & 7) === king) {
      this.kings[this.side >> 3] = from;
      if (Math.abs(to - from) === 2) this.#moveRook(...(rookJump(from, to).reverse() as [number, number]));
    }
    if ((moved & 7) === pawn && to === passant)
      this.squares[to + (this.side === white ? -16 : 16)] = pawn | (this.side ^ black);
    this.score = score;
  }

  #put(square: number, piece: number): void {
    this.squares[square] = piece;
    this.score += worth(piece, square);
    if ((piece & 7) === king) this.kings[piece >> 3] = square;
  }

  #take(square: number): void {
    const piece = this.squares[square]!;
    if (piece === 0) return;
    this.score -= worth(piece, square);
    this.squares[square] = 0;
  }

  #pawnExtras(from: number, to: number, passant: number): void {
    if (to === passant) this.#take(to + (this.side === white ? -16 : 16));
    if (Math.abs(to - from) === 32) this.passant = (from + to) >> 1;
  }

  #moveRook(from: number, to: number): void {
    const piece = this.squares[from]!;
    this.#take(from);
    this.#put(to, piece);
  }
}

function rookJump(from: number, to: number): [number, number] {
  return to > from ? [to + 1, to - 1] : [to - 2, to + 1];
}

// Castling rights that survive a move from or to a square.
const kept = new Uint8Array(128).fill(15);
for (const [square, lost] of [
  [0x04, 3],
  [0x07, 1],
  [0x00, 2],
  [0x74, 12],
  [0x77, 4],
  [0x70, 8],
] as const) {
  kept[square] = 15 & ~lost;
}

function pieceOf(letter: string): number {
  const lower = letter.toLowerCase();
  return letters.indexOf(lower) | (letter === lower ? black : white);
}

function squareOf(name: string): number {
  return (name.charCodeAt(1) - 49) * 16 + (name.charCodeAt(0) - 97);
}

function squareName(square: number): string {
  return String.fromCharCode(97 + (square & 7), 49 + (square >> 4));
}
