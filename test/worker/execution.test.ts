import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import type { TaskServices } from '../../src/tasks/context.ts';
import { currentContext } from '../../src/tasks/context.ts';
import { execute } from '../../src/worker/execution.ts';
import type { Job, Outcome } from '../../src/worker/job.ts';
import { envelopeFor } from './fleet.ts';

describe('the run of a task', () => {
  it('is over at once unless the task waits for something', async () => {
    const app = new Simul('test', { broker: 'memory://execution' });
    app.task('sync', (x: number) => x + 1);
    app.task('throws', () => {
      throw new Error('no');
    });
    app.task('async', async (x: number) => x + 1);
    app.task('tracked', { trackStarted: true }, (x: number) => x + 1);
    const states: string[] = [];
    const run = (task: string) => execute(app, job(task), services(states));
    assert.deepEqual([kind(run('sync')), kind(run('throws'))], ['success', 'failure']);
    assert.equal(kind(run('unknown')), 'malformed');
    for (const task of ['async', 'tracked']) {
      const outcome = run(task);
      assert.ok(outcome instanceof Promise, task);
      assert.equal(kind(await outcome), 'success');
    }
    assert.deepEqual(states, ['STARTED']);
    assert.equal(currentContext(), undefined, 'the context of a run ends with it');
  });
});

function kind(outcome: Outcome | Promise<Outcome>): string {
  assert.ok(!(outcome instanceof Promise));
  return outcome.kind;
}

function job(task: string): Job {
  return { envelope: envelopeFor(task, [1]), hostname: 'test@here', redelivered: false, priority: undefined };
}

function services(states: string[]): TaskServices {
  return {
    signal: new AbortController().signal,
    logger: console,
    storeState: async (_, state) => void states.push(state),
  };
}
