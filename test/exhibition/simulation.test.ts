import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded, VirtualClock } from '../../src/base/virtual-clock.ts';
import type { Table } from '../../src/exhibition/game.ts';
import type { Pace } from '../../src/exhibition/simulation.ts';
import { playInTurn, playTogether } from '../../src/exhibition/simulation.ts';

interface Setting extends Pace {
  readonly masters: number;
  /** After how many of the master's moves each board's game ends, whatever the pace says. */
  readonly lengths: readonly number[];
}

/** An event simulation of its own: no promises, no clock, no semaphore; a list of what happens when. */
function expectedTogether({ moves, master, opponent, masters, lengths }: Setting): number {
  const events = lengths.map((_, board) => ({ at: 0, kind: 'asks', board }));
  const left = lengths.map((length) => Math.min(length, moves));
  const ends = lengths.map((length) => length <= moves);
  const queue: number[] = [];
  let idle = masters;
  let now = 0;
  while (events.length > 0) {
    let next = 0;
    for (const [index, event] of events.entries()) if (event.at < events[next]!.at) next = index;
    const [{ at, kind, board }] = events.splice(next, 1) as [(typeof events)[number]];
    now = at;
    if (kind === 'asks' && left[board]! > 0) queue.push(board);
    if (kind === 'moved') {
      idle++;
      left[board]!--;
      if (left[board]! > 0 || !ends[board]) events.push({ at: at + opponent, kind: 'asks', board });
    }
    while (idle > 0 && queue.length > 0) {
      idle--;
      events.push({ at: at + master, kind: 'moved', board: queue.shift()! });
    }
  }
  return now;
}

function expectedInTurn({ moves, master, opponent, lengths }: Setting): number {
  let sum = 0;
  for (const length of lengths)
    sum += length > moves ? moves * (master + opponent) : length * (master + opponent) - opponent;
  return sum;
}

async function simulated(play: typeof playTogether, setting: Setting): Promise<{ seconds: number; most: number }> {
  const clock = new VirtualClock({ autoJump: true });
  const tables = setting.lengths.map((length) => new CountedTable(length));
  let thinking = 0;
  let most = 0;
  const think = async (position: string) => {
    most = Math.max(most, ++thinking);
    await new Promise((resolve) => setImmediate(resolve));
    thinking--;
    return position;
  };
  await play(tables, { pace: setting, masters: { count: setting.masters, think }, clock });
  for (const table of tables) assert.equal(table.moves, Math.min(table.length, setting.moves));
  assert.equal(clock.pending, 0);
  return { seconds: clock.now(), most };
}

class CountedTable implements Table {
  readonly length: number;
  moves = 0;
  #masterToMove = true;

  constructor(length: number) {
    this.length = length;
  }

  get position(): string {
    return String(this.moves);
  }

  get over(): boolean {
    return this.moves === this.length;
  }

  playMaster(move: string): void {
    assert.equal(move, this.position);
    assert.ok(this.#masterToMove && !this.over);
    this.#masterToMove = false;
    this.moves++;
  }

  playGuest(): void {
    assert.ok(!this.#masterToMove && !this.over);
    this.#masterToMove = true;
  }
}

const endless = (boards: number) => Array.from({ length: boards }, () => Infinity);

test('24 boards, 30 moves, 5 s and 55 s: 43,200 s in turn, 3,655 s together, 1,855 s with two masters', async () => {
  const setting = { moves: 30, master: 5, opponent: 55, masters: 1, lengths: endless(24) };
  assert.equal((await simulated(playInTurn, setting)).seconds, 43_200);
  assert.equal((await simulated(playTogether, setting)).seconds, 3_655);
  assert.equal((await simulated(playTogether, { ...setting, masters: 2 })).seconds, 1_855);
});

test('odd values: the times are those of an independent event simulation', async () => {
  const random = seeded(20_261_124);
  const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  for (let trial = 0; trial < 60; trial++) {
    const moves = whole(1, 9);
    const lengths = Array.from({ length: whole(1, 13) }, () => (random() < 0.3 ? whole(1, 9) : Infinity));
    // Quarters of a second are exact in binary, so that the order of simultaneous events is not left to rounding.
    const setting = { moves, master: whole(0, 30) / 4, opponent: whole(0, 90) / 4, masters: whole(1, 4), lengths };
    const together = await simulated(playTogether, setting);
    assert.equal(together.seconds, expectedTogether(setting), JSON.stringify(setting));
    assert.ok(together.most <= setting.masters);
    const alone = { ...setting, masters: 1 };
    assert.equal((await simulated(playInTurn, alone)).seconds, expectedInTurn(alone), JSON.stringify(alone));
  }
});

test('three masters think side by side, and no more than three', async () => {
  const { most } = await simulated(playTogether, {
    moves: 5,
    master: 3.5,
    opponent: 11,
    masters: 3,
    lengths: endless(7),
  });
  assert.equal(most, 3);
});

test('a master who fails ends the exhibition with that failure, and nothing stays behind', async () => {
  const clock = new VirtualClock({ autoJump: true });
  let asked = 0;
  const think = async () => {
    if (++asked === 5) throw new Error('out of ideas');
    return 'move';
  };
  const tables = endless(8).map(() => ({ position: '', over: false, playMaster: () => {}, playGuest: () => {} }));
  const pace = { moves: 10, master: 1, opponent: 2 };
  await assert.rejects(playTogether(tables, { pace, masters: { count: 2, think }, clock }), /out of ideas/);
  assert.equal(clock.pending, 0);
  assert.ok(asked <= 6);
});

test('aborting ends the exhibition with the reason, in turn and together', async () => {
  for (const play of [playInTurn, playTogether]) {
    const clock = new VirtualClock({ autoJump: true });
    const controller = new AbortController();
    const moved = () => controller.abort(new Error('the lights went out'));
    const tables = endless(30).map(() => ({ position: '', over: false, playMaster: () => {}, playGuest: () => {} }));
    const masters = { count: 1, think: async () => 'move' };
    const pace = { moves: 3, master: 1, opponent: 2 };
    const simulation = { pace, masters, clock, signal: controller.signal, moved };
    await assert.rejects(play(tables, simulation), /the lights went out/);
    assert.equal(clock.pending, 0);
  }
});
