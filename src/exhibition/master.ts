import type { Move } from './engine/board.ts';
import { Board, moveText } from './engine/board.ts';
import { legalMoves } from './engine/moves.ts';
import { search } from './engine/search.ts';

/**
 * The master's move in a position (FEN), as `e2e4`: a pure function, so that it may be asked anywhere. An exhibition
 * lasts a stated number of moves and its guests have come to play them, so the master does not mate or stalemate
 * anyone as long as another move exists.
 */
export function think(position: string, nodes: number): string {
  const board = Board.fromFen(position);
  const legal = legalMoves(board);
  if (legal.length === 0) throw new RangeError(`the game is over, there is nothing to think about: ${position}`);
  const friendly = legal.filter((move) => canAnswer(board, move));
  return moveText(search(board, friendly.length > 0 ? friendly : legal, nodes).move);
}

function canAnswer(board: Board, move: Move): boolean {
  board.make(move);
  const answers = legalMoves(board).length;
  board.unmake();
  return answers > 0;
}
