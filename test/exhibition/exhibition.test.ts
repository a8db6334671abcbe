import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../src/base/virtual-clock.ts';
import type { Exhibition, ExhibitionOptions } from '../../src/exhibition/exhibition.ts';
import { differing, exhibit } from '../../src/exhibition/exhibition.ts';
import type { ModeName } from '../../src/exhibition/modes.ts';
import { modeNames } from '../../src/exhibition/modes.ts';

/** When the last guest has answered, by arithmetic on the order of service: the k-th turn is board k mod n's. */
function expectedSeconds(mode: ModeName, { boards, moves, master, opponent, workers }: ExhibitionOptions): number {
  if (mode === 'sequential') return boards * moves * (master + opponent);
  const masters = mode === 'asyncio' ? 1 : workers;
  const ends: number[] = [];
  for (let turn = 0; turn < boards * moves; turn++) {
    const free = ends[turn - masters] ?? 0;
    const asks = turn < boards ? 0 : ends[turn - boards]! + opponent;
    ends.push(Math.max(free, asks) + master);
  }
  return ends.at(-1)! + opponent;
}

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-5, `${what}: ${actual} s instead of ${expected} s`);
}

const random = seeded(2_026);
const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
const pace = (): ExhibitionOptions => ({
  boards: whole(1, 9),
  moves: whole(1, 6),
  master: whole(0, 70) / 10,
  opponent: whole(0, 300) / 10,
  workers: whole(1, 3),
  nodes: 60,
  seed: whole(0, 1000),
});

for (const options of [{ boards: 7, moves: 5, master: 3.5, opponent: 11, workers: 3, nodes: 60, seed: 1 }, pace()]) {
  test(`every mode takes its time and plays the same games: ${JSON.stringify(options)}`, async () => {
    const exhibitions: Exhibition[] = [];
    for (const mode of modeNames) {
      const exhibition = await exhibit(mode, options);
      near(exhibition.simulatedSeconds, expectedSeconds(mode, options), mode);
      exhibitions.push(exhibition);
    }
    assert.deepEqual(differing(exhibitions), []);
  });
}

test('the arithmetic holds for many odd values', async () => {
  for (let trial = 0; trial < 40; trial++) {
    const options = { ...pace(), nodes: 1 };
    const mode = trial % 2 === 0 ? 'asyncio' : 'sequential';
    near((await exhibit(mode, options)).simulatedSeconds, expectedSeconds(mode, options), JSON.stringify(options));
  }
});

test('one move that differs is noticed', () => {
  const exhibition = (name: ModeName, games: string[]) => ({
    name,
    games,
    masters: 1,
    simulatedSeconds: 1,
    realSeconds: 1,
  });
  const stray = exhibition('asyncio', ['1. e4 *', '1. d4 c5 *']);
  assert.deepEqual(differing([exhibition('sequential', ['1. e4 *', '1. d4 d5 *']), stray]), [stray]);
});

test('an aborted exhibition releases its masters and fails with the reason', async () => {
  for (const mode of modeNames) {
    const controller = new AbortController();
    const moved = () => controller.abort(new Error('closing time'));
    const options = { ...pace(), moves: 20, boards: 4, signal: controller.signal, moved };
    await assert.rejects(exhibit(mode, options), /closing time/);
  }
});
