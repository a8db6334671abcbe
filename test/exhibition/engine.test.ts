import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chess } from 'chess.js';
import { seeded } from '../../src/base/virtual-clock.ts';
import { Board, moveText } from '../../src/exhibition/engine/board.ts';
import { legalMoves } from '../../src/exhibition/engine/moves.ts';
import { search } from '../../src/exhibition/engine/search.ts';
import { think } from '../../src/exhibition/master.ts';

function perft(board: Board, depth: number): number {
  if (depth === 0) return 1;
  let leaves = 0;
  for (const move of legalMoves(board)) {
    board.make(move);
    leaves += perft(board, depth - 1);
    board.unmake();
  }
  return leaves;
}

// The counts everyone checks against: https://www.chessprogramming.org/Perft_Results
for (const [name, fen, depth, leaves] of [
  ['the initial position', 'rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 4, 197_281],
  ['castling', 'r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1', 3, 97_862],
  ['en passant', '8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1', 4, 43_238],
  ['promotion', 'r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1', 3, 9_467],
] as const) {
  test(`the moves are those of chess: ${name}`, () => {
    assert.equal(perft(Board.fromFen(fen), depth), leaves);
  });
}

test('in random games the board moves, and takes back, as the chess library does', () => {
  const random = seeded(7);
  for (let game = 0; game < 5; game++) {
    const chess = new Chess();
    const board = Board.fromFen(chess.fen());
    for (let ply = 0; ply < 60 && !chess.isGameOver(); ply++) {
      const fresh = Board.fromFen(chess.fen());
      assert.deepEqual(board.squares, fresh.squares);
      assert.deepEqual(
        [board.side, board.castling, board.kings, board.score],
        [fresh.side, fresh.castling, fresh.kings, fresh.score],
      );
      const moves = legalMoves(board);
      assert.equal(moves.length, chess.moves().length, chess.fen());
      const move = moves[Math.floor(random() * moves.length)]!;
      board.make(move);
      board.unmake();
      assert.deepEqual([board.squares, board.score, board.kings], [fresh.squares, fresh.score, fresh.kings]);
      board.make(move);
      const text = moveText(move);
      chess.move({ from: text.slice(0, 2), to: text.slice(2, 4), ...(text.length > 4 ? { promotion: text[4]! } : {}) });
    }
  }
});

const mate = 100_000;

function found(fen: string, nodes: number) {
  const board = Board.fromFen(fen);
  const { move, ...rest } = search(board, legalMoves(board), nodes);
  return { text: moveText(move), ...rest };
}

test('the search takes what hangs, sees mates in one and in two, and keeps to its budget', () => {
  assert.equal(found('4k3/8/8/3q4/8/8/8/3RK3 w - - 0 1', 500).text, 'd1d5');
  assert.equal(found('7k/8/8/8/8/8/R7/1R2K3 w - - 0 1', 20_000).score, mate - 3);
  const scholar = found('r1bqkbnr/pppp1ppp/2n5/4p3/2B1P3/5Q2/PPPP1PPP/RNB1K1NR w KQkq - 0 1', 2000);
  assert.equal(scholar.text, 'f3f7');
  assert.equal(scholar.score, mate - 1);
  // What is under way when the budget runs out unwinds without looking at more.
  assert.ok(scholar.nodes >= 2000 && scholar.nodes < 2100, `${scholar.nodes} positions`);
});

test('the master answers the same question the same way, and does not end a game while it can go on', () => {
  const scholar = 'r1bqkbnr/pppp1ppp/2n5/4p3/2B1P3/5Q2/PPPP1PPP/RNB1K1NR w KQkq - 0 1';
  assert.equal(think(scholar, 3000), think(scholar, 3000));
  assert.notEqual(think(scholar, 3000), 'f3f7');
  assert.throws(() => think('7k/5QQ1/8/8/8/8/8/K7 b - - 0 1', 10), /the game is over/);
});
