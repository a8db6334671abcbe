import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mock, test } from 'node:test';
import { ProcessPoolExecutor } from '../../src/entry/futures.ts';
import { ProcessMemory } from '../../src/futures/channel/process-memory.ts';
import { Processes } from '../../src/futures/engine/processes.ts';

test('a process whose memory cannot be had does not live on', { timeout: 30_000 }, async () => {
  const workshop = new Processes('spawn');
  const take = mock.method(ProcessMemory, 'take', () => {
    throw new RangeError('no memory');
  });
  assert.throws(() => workshop.make(), RangeError);
  const [pid] = children();
  assert.ok(pid !== undefined);
  while (children().includes(pid)) await new Promise(setImmediate);
  take.mock.restore();
  workshop.close();
});

function children(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean),
  );
}

test('a start method that there is not is named', () => {
  const startMethod = 'frok' as 'fork';
  assert.throws(() => new ProcessPoolExecutor({ startMethod }), { argument: 'startMethod', received: 'frok' });
});
