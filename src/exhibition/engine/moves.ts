import type { Board, Move } from './board.ts';
import { bishop, black, king, knight, moveOf, pawn, queen, rook, white } from './board.ts';

/** Moves as the pieces go; some may leave the own king in check. With `captures`, only those that take or promote. */
export function pseudoMoves(board: Board, captures = false): Move[] {
  const moves: Move[] = [];
  const { squares, side } = board;
  for (let square = 0; square < 120; square++) {
    if ((square & 0x88) !== 0) continue;
    const piece = squares[square]!;
    if (piece === 0 || (piece & black) !== side) continue;
    if ((piece & 7) === pawn) pawnMoves(board, square, captures, moves);
    else pieceMoves(board, square, piece & 7, captures, moves);
  }
  if (!captures) castlingMoves(board, moves);
  return moves;
}

/** The legal moves. */
export function legalMoves(board: Board): Move[] {
  return pseudoMoves(board).filter((move) => {
    board.make(move);
    const legal = !inCheck(board, board.side ^ black);
    board.unmake();
    return legal;
  });
}

/** Whether the king of `side` stands attacked. */
export function inCheck(board: Board, side: number): boolean {
  return attacked(board, board.kings[side >> 3]!, side ^ black);
}

// Directions by kind of piece, and whether it goes on in the same direction.
const straight = [16, -16, 1, -1];
const diagonal = [17, 15, -15, -17];
const jumps = [33, 31, 18, 14, -14, -18, -31, -33];
const ways: readonly (readonly number[])[] = [
  [],
  [],
  jumps,
  diagonal,
  straight,
  [...straight, ...diagonal],
  [...straight, ...diagonal],
];

function slides(kind: number): boolean {
  return kind >= bishop && kind <= queen;
}

function pieceMoves({ squares, side }: Board, from: number, kind: number, captures: boolean, moves: Move[]): void {
  const far = slides(kind);
  for (const way of ways[kind]!) {
    for (let to = from + way; (to & 0x88) === 0; to += way) {
      const target = squares[to]!;
      if (target === 0 ? !captures : (target & black) !== side) moves.push(moveOf(from, to));
      if (target !== 0 || !far) break;
    }
  }
}

function pawnMoves({ squares, side, passant }: Board, from: number, captures: boolean, moves: Move[]): void {
  const forward = side === white ? 16 : -16;
  const last = side === white ? 7 : 0;
  const first = side === white ? 1 : 6;
  const to = from + forward;
  if (squares[to] === 0 && (!captures || to >> 4 === last)) {
    pawnMove(from, to, last, moves);
    if (!captures && from >> 4 === first && squares[to + forward] === 0) moves.push(moveOf(from, to + forward));
  }
  for (const aside of [to - 1, to + 1]) {
    if ((aside & 0x88) !== 0) continue;
    const target = squares[aside]!;
    if (target === 0 ? aside === passant : (target & black) !== side) pawnMove(from, aside, last, moves);
  }
}

function pawnMove(from: number, to: number, last: number, moves: Move[]): void {
  if (to >> 4 !== last) moves.push(moveOf(from, to));
  else for (const promotion of [queen, rook, bishop, knight]) moves.push(moveOf(from, to, promotion));
}

function castlingMoves(board: Board, moves: Move[]): void {
  const { squares, side, castling } = board;
  const rights = side === white ? castling & 3 : castling >> 2;
  if (rights === 0) return;
  const home = board.kings[side >> 3]!;
  const safe = (square: number) => !attacked(board, square, side ^ black);
  const free = (...steps: number[]) => steps.every((step) => squares[home + step] === 0);
  // The square the king lands on is tested like that of every move, by who makes it.
  if ((rights & 1) !== 0 && free(1, 2) && safe(home) && safe(home + 1)) moves.push(moveOf(home, home + 2));
  if ((rights & 2) !== 0 && free(-1, -2, -3) && safe(home) && safe(home - 1)) moves.push(moveOf(home, home - 2));
}

function attacked({ squares }: Board, square: number, by: number): boolean {
  for (const jump of jumps) if (at(squares, square + jump) === (knight | by)) return true;
  const behind = by === white ? -16 : 16;
  if (at(squares, square + behind - 1) === (pawn | by) || at(squares, square + behind + 1) === (pawn | by)) return true;
  return alongLines(squares, square, straight, rook | by, by) || alongLines(squares, square, diagonal, bishop | by, by);
}

function alongLines(squares: Int8Array, square: number, lines: readonly number[], slider: number, by: number): boolean {
  for (const way of lines) {
    let to = square + way;
    if (at(squares, to) === (king | by)) return true;
    while ((to & 0x88) === 0 && squares[to] === 0) to += way;
    const piece = at(squares, to);
    if (piece === slider || piece === (queen | by)) return true;
  }
  return false;
}

function at(squares: Int8Array, square: number): number {
  return (square & 0x88) === 0 ? squares[square]! : 0;
}
