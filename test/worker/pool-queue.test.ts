import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deferred } from '../../src/base/deferred.ts';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError } from '../../src/base/errors.ts';
import type { Delivery } from '../../src/tasks/broker.ts';
import type { Job, Outcome } from '../../src/worker/job.ts';
import type { Ending, Pool, Run, Stoppable } from '../../src/worker/pool.ts';
import { PoolQueue } from '../../src/worker/pool-queue.ts';

const done: Outcome = { kind: 'ignore' };
const stop = new CancelledError('stop');

describe('a queue before a pool', () => {
  it('starts at once what has a slot, and the rest in its order', async () => {
    const pool = new OneSlot();
    const queue = new PoolQueue(pool);
    const runs = ['a', 'b', 'c'].map((id) => start(queue, id));
    assert.deepEqual(pool.started, ['a']);
    assert.deepEqual(
      runs.map(({ begun }) => begun === undefined),
      [false, true, true],
    );
    for (const [i, run] of runs.entries()) {
      pool.end();
      assert.equal(await run.outcome, done);
      await turn();
      assert.deepEqual(pool.started, ['a', 'b', 'c'].slice(0, i + 2));
    }
  });

  it('starts all that wait, however many, when they end at once', async () => {
    const pool = new OneSlot();
    const queue = new PoolQueue(pool);
    const ends: Outcome[] = [];
    const run = (id: string) => queue.run(job(id), delivery(id), { ended: (outcome) => ends.push(outcome) });
    for (let i = 0; i <= 20_000; i++) run(`${i}`);
    pool.atOnce = true;
    pool.end();
    assert.equal(pool.started.length, 20_001);
    run('last');
    assert.equal(ends.length, 20_002, 'there is a slot, and no wait for the end');
  });

  it('never starts what is told to stop before its turn, and says so at once', async () => {
    const pool = new OneSlot();
    const queue = new PoolQueue(pool);
    const [, b, c] = ['a', 'b', 'c'].map((id) => start(queue, id)) as [Started, Started, Started];
    b.abort(stop);
    assert.deepEqual(await b.outcome, { kind: 'lost', reason: 'stop' });
    pool.end();
    await turn();
    assert.deepEqual(pool.started, ['a', 'c']);
    c.abort(stop);
    assert.equal(pool.aborted, stop);
  });

  it('ends what waits once, however often it is told to stop', () => {
    const pool = new OneSlot();
    const queue = new PoolQueue(pool);
    const ends: Outcome[] = [];
    start(queue, 'a');
    const waits = queue.run(job('b'), delivery('b'), { ended: (outcome) => ends.push(outcome) });
    waits.abort(stop);
    waits.abort(stop);
    assert.equal(ends.length, 1);
  });

  it('has each run noted before it starts, one that had to wait when its turn comes', async () => {
    const pool = new OneSlot();
    const notes: Deferred<void>[] = [];
    const noted: string[] = [];
    const queue = new PoolQueue(pool, ({ tag }) => {
      noted.push(tag);
      notes.push(deferred());
      return notes.at(-1)!.promise;
    });
    const runs = ['a', 'b', 'c'].map((id) => start(queue, id)) as [Started, Started, Started];
    await turn();
    assert.deepEqual([noted, pool.started], [['a'], []]);
    notes[0]!.resolve();
    await turn();
    assert.deepEqual([noted, pool.started], [['a'], ['a']]);
    pool.end();
    await turn();
    assert.deepEqual([noted, pool.started], [['a', 'b'], ['a']]);
    // Told to stop while it is being noted, it gives its slot to the next.
    runs[1].abort(stop);
    notes[1]!.resolve();
    await turn();
    assert.deepEqual([noted, pool.started], [['a', 'b', 'c'], ['a']]);
    // Whoever cannot be told does not hold up the work.
    notes[2]!.reject(new Error('the broker is away'));
    await turn();
    assert.deepEqual(pool.started, ['a', 'c']);
  });
});

type Started = Run & { readonly outcome: Promise<Outcome> };

function start(queue: PoolQueue, id: string): Started {
  const { promise: outcome, resolve } = deferred<Outcome>();
  const run = queue.run(job(id), delivery(id), { ended: resolve });
  return {
    outcome,
    get begun() {
      return run.begun;
    },
    abort: (reason) => run.abort(reason),
  };
}

/** A pool of one slot whose runs end when they are told to. */
class OneSlot implements Pool {
  readonly name = 'one';
  readonly concurrency = 1;
  readonly started: string[] = [];
  aborted: Error | undefined;
  /** Its runs are over when they have been started. */
  atOnce = false;
  #ending: Ending | undefined;

  async start(): Promise<void> {}

  run({ hostname }: Job, ending: Ending): Stoppable {
    this.started.push(hostname);
    if (this.atOnce) ending.ended(done);
    this.#ending = ending;
    return { tell: (reason) => void (this.aborted = reason) };
  }

  end(): void {
    this.#ending!.ended(done);
  }

  async stop(): Promise<void> {}
}

function job(name: string): Job {
  return { envelope: {} as Job['envelope'], hostname: name, redelivered: false, priority: undefined };
}

function delivery(tag: string): Delivery {
  return { tag } as Delivery;
}

function turn(): Promise<void> {
  return new Promise(setImmediate);
}
