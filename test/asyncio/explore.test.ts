import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  Semaphore,
} from '../../src/entry/asyncio.ts';
import type { Draw } from '../../src/entry/testing.ts';
import { explore } from '../../src/entry/testing.ts';
import { sized } from '../fixtures/program.ts';
import { barrierProgram, conditionProgram, eventProgram, permitProgram, queueProgram } from './explorations.ts';

// A failure names its seed; SIMUL_SEED=<seed> runs that one alone, SIMUL_SEEDS=<n> that many. 10,000 in the long run.
const from = Number(process.env['SIMUL_SEED'] ?? 1);
const several = Number(process.env['SIMUL_SEEDS'] ?? sized(10_000, 500));
const seeds = process.env['SIMUL_SEED'] === undefined ? several : 1;

const programs: Record<string, (draw: Draw) => Promise<void>> = {
  Lock: permitProgram(() => new Lock(), 1),
  Semaphore: permitProgram(() => new Semaphore(2), 2),
  BoundedSemaphore: permitProgram(() => new BoundedSemaphore(2), 2),
  Event: eventProgram(() => new Event()),
  Condition: conditionProgram(() => new Condition()),
  Barrier: barrierProgram((parties) => new Barrier(parties)),
  Queue: queueProgram((maxsize) => new Queue<number>(maxsize), true),
  LifoQueue: queueProgram((maxsize) => new LifoQueue<number>(maxsize), false),
  PriorityQueue: queueProgram((maxsize) => new PriorityQueue<number>(maxsize), false),
};

describe(`under ${seeds} interleavings each`, () => {
  for (const [name, program] of Object.entries(programs)) {
    it(`${name} keeps its invariants`, async () => {
      assert.equal(await explore(program, { seeds, from }), seeds);
    });
  }
});
