/** What a piece on a square adds to White's side of the balance, in hundredths of a pawn. */
export function worth(piece: number, square: number): number {
  return table[piece * 128 + square]!;
}

/** What a kind of piece is worth wherever it stands; the king's is never counted. */
export const material = [0, 100, 320, 330, 500, 900, 0] as const;

const table = build();

function build(): Int16Array {
  const table = new Int16Array(16 * 128);
  for (let kind = 1; kind <= 6; kind++) {
    for (let rank = 0; rank < 8; rank++) {
      for (let file = 0; file < 8; file++) {
        const value = material[kind]! + placement(kind, rank, file);
        table[kind * 128 + rank * 16 + file] = value;
        table[(kind + 8) * 128 + (7 - rank) * 16 + file] = -value;
      }
    }
  }
  return table;
}

// The oldest rules of thumb: pawns forward and in the middle, pieces to the centre, rooks to the seventh, the king home.
function placement(kind: number, rank: number, file: number): number {
  const centre = 3 - Math.max(Math.abs(rank - 3.5), Math.abs(file - 3.5)) + 0.5;
  const middle = 3.5 - Math.abs(file - 3.5);
  if (kind === 1) return rank * rank + rank * middle * 2 - 8;
  if (kind === 2) return centre * 12 - 20;
  if (kind === 3) return centre * 6 - 8;
  if (kind === 4) return rank === 6 ? 20 : middle * 2;
  if (kind === 5) return centre * 3 - 4;
  return -rank * 15 + (rank === 0 && middle < 2 ? 25 : 0);
}
