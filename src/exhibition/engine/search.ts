import type { Board, Move } from './board.ts';
import { black, white } from './board.ts';
import { material } from './evaluation.ts';
import { inCheck, pseudoMoves } from './moves.ts';

export interface Found {
  readonly move: Move;
  /** As the side to move sees it, in hundredths of a pawn. */
  readonly score: number;
  readonly nodes: number;
}

/**
 * The best of `candidates` (legal moves, at least one) by alpha-beta with iterative deepening, until `budget` positions
 * have been looked at. Bounded by positions and not by time, so that the same question always has the same answer.
 */
export function search(board: Board, candidates: readonly Move[], budget: number): Found {
  const state: State = { board, budget, nodes: 0 };
  let ranked = candidates.map((move) => ({ move, score: 0 }));
  for (let depth = 1; depth <= deepest && state.nodes < budget && ranked.length > 1; depth++) {
    ranked = rank(state, ranked, depth);
  }
  return { ...ranked[0]!, nodes: state.nodes };
}

const deepest = 32;
const infinity = 1_000_000;
const mate = 100_000;

interface State {
  readonly board: Board;
  readonly budget: number;
  nodes: number;
}

interface Ranked {
  readonly move: Move;
  readonly score: number;
}

// When the budget runs out half-way, what this depth has found so far stands before what it did not come to: its first
// candidate is the best of the depth before, so that it never does worse.
function rank(state: State, before: readonly Ranked[], depth: number): Ranked[] {
  const done: Ranked[] = [];
  let alpha = -infinity;
  for (const { move } of before) {
    state.board.make(move);
    const score = -negamax(state, depth - 1, -infinity, -alpha, 1);
    state.board.unmake();
    if (state.nodes >= state.budget) break;
    done.push({ move, score });
    alpha = Math.max(alpha, score);
  }
  const rest = before.slice(done.length);
  return [...done.sort((a, b) => b.score - a.score), ...rest];
}

function negamax(state: State, depth: number, alpha: number, beta: number, ply: number): number {
  if (depth === 0) return quiesce(state, alpha, beta);
  const { board } = state;
  if (++state.nodes >= state.budget) return 0;
  let best = -infinity;
  for (const move of ordered(board, pseudoMoves(board))) {
    board.make(move);
    if (inCheck(board, board.side ^ black)) {
      board.unmake();
      continue;
    }
    const score = -negamax(state, depth - 1, -beta, -Math.max(alpha, best), ply + 1);
    board.unmake();
    if (score > best) best = score;
    if (best >= beta || state.nodes >= state.budget) break;
  }
  if (best > -infinity) return best;
  return inCheck(board, board.side) ? ply - mate : 0;
}

// Captures are played out to the end, or the search would stop in the middle of an exchange and misjudge it.
function quiesce(state: State, alpha: number, beta: number): number {
  const { board } = state;
  let best = board.side === white ? board.score : -board.score;
  if (++state.nodes >= state.budget || best >= beta) return best;
  for (const move of ordered(board, pseudoMoves(board, true))) {
    board.make(move);
    if (inCheck(board, board.side ^ black)) {
      board.unmake();
      continue;
    }
    const score = -quiesce(state, -beta, -Math.max(alpha, best));
    board.unmake();
    if (score > best) best = score;
    if (best >= beta || state.nodes >= state.budget) break;
  }
  return best;
}

// The most valuable victim first, taken by the least valuable piece: what refutes most often comes early.
function ordered({ squares }: Board, moves: Move[]): Move[] {
  const key = (move: Move) => {
    const victim = material[squares[(move >> 7) & 127]! & 7]!;
    return victim === 0 ? move >> 14 : victim * 16 - material[squares[move & 127]! & 7]! + 10_000;
  };
  return moves.sort((a, b) => key(b) - key(a));
}
