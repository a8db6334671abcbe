import { test } from 'node:test';
import type { Host } from '../../src/callable/host.ts';
import { ProcessHost } from '../../src/callable/process-host.ts';
import { ThreadHost } from '../../src/callable/thread-host.ts';
import { sized } from '../fixtures/program.ts';
import type { Item } from './model-parties.ts';
import type { Run } from './model.ts';
import { modelBarrier, modelCondition, modelLock, modelQueue, modelRLock, modelSemaphore } from './model.ts';
import { processes, threads } from './scopes.ts';
import type { ScopeUnderTest } from './scopes.ts';

const seed = Number(process.env['SIMUL_SEED'] ?? Date.now() % 100_000);

// Objects of processes are used by four of these and four threads of this one at the same time.
function parties({ name }: ScopeUnderTest): Host[] {
  const some = <T>(make: () => T) => Array.from({ length: 4 }, make);
  const hosts = some((): Host => new ThreadHost());
  return name === 'threads' ? hosts : [...hosts, ...some((): Host => new ProcessHost())];
}

for (const scope of [threads, processes]) {
  test(`${scope.name}: random schedules keep every invariant (SIMUL_SEED=${seed})`, async (t) => {
    const hosts = parties(scope);
    const run: Run = { hosts, rounds: sized(5000, 150), patience: 120, seed };
    const many: Run = { ...run, rounds: sized(20_000, 3000) };
    try {
      await t.test('lock', () => modelLock(new scope.Lock(), run));
      await t.test('rlock', () => modelRLock(new scope.RLock(), run));
      await t.test('semaphore', () => modelSemaphore(new scope.Semaphore(3), 3, run));
      await t.test('condition', () => modelCondition(new scope.Condition(), run));
      await t.test('barrier', () => modelBarrier(new scope.Barrier(hosts.length), { ...run, rounds: sized(1000, 30) }));
      await t.test('queue', () => modelQueue(new scope.Queue<Item>(20, { capacity: 4096 }), 2, many));
    } finally {
      await Promise.all(hosts.map((host) => host.terminate()));
    }
  });
}
