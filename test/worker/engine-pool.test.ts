// The pool over an engine whose workers cannot be had for a while.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import type { CallEngine } from '../../src/futures/engine/call-engine.ts';
import type { Sink } from '../../src/futures/engine/job.ts';
import { BrokenExecutor } from '../../src/futures/errors.ts';
import type { Job, Outcome } from '../../src/worker/job.ts';
import { EnginePool } from '../../src/worker/pools/engine-pool.ts';

test('a run is done although the engine could not even be opened again at first', async () => {
  const [engines, ending] = [new Engines(), deferred<Outcome>()];
  engines.next.push('broken', 'throws', 'good');
  const pool = engines.pool();
  await pool.start();
  pool.run(job, { ended: ending.resolve });
  assert.deepEqual(await ending.promise, { kind: 'ignore' });
  assert.equal(engines.opened, 3);
  await pool.stop();
});

test('no engine is opened once the pool has stopped, and what waits for one is told so', async () => {
  const [engines, ending] = [new Engines(), deferred<Outcome>()];
  engines.next.push('broken', 'good');
  const pool = engines.pool();
  await pool.start();
  pool.run(job, { ended: ending.resolve });
  await pool.stop();
  assert.equal((await ending.promise).kind, 'lost');
  assert.equal(engines.opened, 1);
});

const job = {} as Job;
const log = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false };

class Engines {
  readonly next: ('good' | 'broken' | 'throws')[] = [];
  opened = 0;

  pool(): EnginePool {
    const open = () => this.#open();
    return new EnginePool({ name: 'threads', concurrency: 1, log, run: () => done, open, stuck() {} });
  }

  #open(): CallEngine {
    this.opened++;
    const kind = this.next.shift();
    if (kind === 'throws') throw new Error('no more descriptors');
    return {
      call: (_fn: unknown, _args: unknown, sink: Sink) => {
        if (kind === 'broken') throw new BrokenExecutor('the pool is broken');
        sink.fulfil(done);
        return { tell() {} };
      },
      ready: async () => {},
      close() {},
      join: async () => {},
      on() {},
    } as unknown as CallEngine;
  }
}

const done: Outcome = { kind: 'ignore' };
