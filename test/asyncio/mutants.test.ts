import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Draw } from '../../src/entry/testing.ts';
import { explore } from '../../src/entry/testing.ts';
import * as locks from '../mutants/locks.ts';
import * as queues from '../mutants/queues.ts';
import { barrierProgram, conditionProgram, eventProgram, permitProgram, queueProgram } from './explorations.ts';

const seeds = 2000;

const mutants: Record<string, (draw: Draw) => Promise<void>> = {
  LostWakeupLock: permitProgram(() => new locks.LostWakeupLock(), 1),
  BargingLock: permitProgram(() => new locks.BargingLock(), 1),
  UnfairLock: permitProgram(() => new locks.UnfairLock(), 1),
  DoubleHandOverSemaphore: permitProgram(() => new locks.DoubleHandOverSemaphore(2), 2),
  LostPermitSemaphore: permitProgram(() => new locks.LostPermitSemaphore(2), 2),
  RecheckingEvent: eventProgram(() => new locks.RecheckingEvent()),
  SwallowingCondition: conditionProgram(() => new locks.SwallowingCondition()),
  LocklessCondition: conditionProgram(() => new locks.LocklessCondition()),
  EagerBarrier: barrierProgram((parties) => new queues.EagerBarrier(parties)),
  DroppingQueue: queueProgram((maxsize) => new queues.DroppingQueue(maxsize), true),
  DoublingQueue: queueProgram((maxsize) => new queues.DoublingQueue(maxsize), true),
  PhantomQueue: queueProgram((maxsize) => new queues.PhantomQueue(maxsize), true),
  ForgetfulQueue: queueProgram((maxsize) => new queues.ForgetfulQueue(maxsize), true),
  OverfullQueue: queueProgram((maxsize) => new queues.OverfullQueue(maxsize), true),
  ShufflingQueue: queueProgram((maxsize) => new queues.ShufflingQueue(maxsize), true),
};

describe(`within ${seeds} interleavings the explorer catches`, () => {
  for (const [name, program] of Object.entries(mutants)) {
    it(name, (context) =>
      assert.rejects(explore(program, { seeds }), (error: Error) => {
        context.diagnostic(error.message.split('\n')[0]!);
        return /^seed \d+: /.test(error.message);
      }),
    );
  }

  it('and not the plain queue they are made of', async () => {
    await explore(
      queueProgram((maxsize) => new queues.PlainQueue(maxsize), true),
      { seeds },
    );
  });
});
