import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { CancelledError, ClosedError } from '../../src/base/errors.ts';
import { Lifecycle } from '../../src/base/lifecycle.ts';
import type { LifecycleHooks, StopReason } from '../../src/base/lifecycle.ts';

/** A service that counts what it holds, and whose hooks take some turns of the microtask queue. */
class Service implements LifecycleHooks {
  starts = 0;
  stops = 0;
  held = 0;
  busy = false;
  reason: StopReason | undefined;
  readonly #turns: number;
  readonly #failing: 'start' | 'stop' | undefined;

  constructor(turns = 0, failing?: 'start' | 'stop') {
    this.#turns = turns;
    this.#failing = failing;
  }

  async start(): Promise<void> {
    this.starts++;
    await this.#exclusively(() => this.held++);
    if (this.#failing === 'start') throw new Error('start failed');
    this.held++;
  }

  async stop(reason: StopReason): Promise<void> {
    this.stops++;
    this.reason = reason;
    await this.#exclusively(() => (this.held = 0));
    if (this.#failing === 'stop') throw new Error('stop failed');
  }

  async #exclusively(body: () => void): Promise<void> {
    assert.equal(this.busy, false, 'start and stop overlap');
    this.busy = true;
    await turns(this.#turns);
    body();
    this.busy = false;
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('one caller', () => {
  it('starts, runs and stops, with the reason', async () => {
    const service = new Service();
    const life = new Lifecycle('service', service);
    assert.equal(life.state, 'new');
    const starting = life.start();
    assert.equal(life.state, 'starting');
    await starting;
    assert.equal(life.state, 'running');
    const stopping = life.stop({ why: 'enough' });
    assert.equal(life.state, 'stopping');
    await stopping;
    assert.equal(life.state, 'stopped');
    for (const told of [service.reason, life.reason, await life.stopped]) assert.deepEqual(told, { why: 'enough' });
  });

  it('may stop before it started: nothing runs, and start is refused', async () => {
    const service = new Service();
    const life = new Lifecycle('service', service);
    await life.stop();
    await assert.rejects(
      life.start(),
      (error: unknown) => error instanceof ClosedError && /before/.test(error.message),
    );
    assert.deepEqual([service.starts, service.stops, life.state], [0, 0, 'stopped']);
    assert.deepEqual(await life.stopped, { why: 'asked to stop' });
  });

  it('a failed start releases what it had, tells why, and stays failed', async () => {
    const service = new Service(2, 'start');
    const life = new Lifecycle('service', service);
    await assert.rejects(life.start(), /start failed/);
    assert.deepEqual([service.stops, service.held, life.state], [1, 0, 'stopped']);
    assert.match(String(life.reason?.error), /start failed/);
    await assert.rejects(life.start(), /start failed/);
    await life.stop();
    assert.equal(service.stops, 1);
  });

  it('a hook that throws at once is a failed start', async () => {
    const life = new Lifecycle('service', {
      start: () => {
        throw new Error('at once');
      },
      stop: () => {},
    });
    await assert.rejects(life.start(), /at once/);
    assert.equal(life.state, 'stopped');
  });

  it('a failed stop is told to every caller; the service counts as stopped', async () => {
    const life = new Lifecycle('service', new Service(0, 'stop'));
    await life.start();
    await assert.rejects(life.stop({ why: 'first' }), /stop failed/);
    await assert.rejects(life.stop(), /stop failed/);
    assert.equal(life.state, 'stopped');
    assert.deepEqual(await life.stopped, { why: 'first' });
  });

  it('a stop during a start waits for it, aborts its signal, and then releases', async () => {
    const log: string[] = [];
    const gate = deferred();
    const life = new Lifecycle('service', {
      async start(signal) {
        signal.addEventListener('abort', () => log.push(`abort: ${(signal.reason as Error).message}`));
        await gate.promise;
        log.push('acquired');
      },
      stop: () => void log.push('released'),
    });
    const starting = life.start();
    const stopping = life.stop({ why: 'changed my mind' });
    log.push('gate');
    gate.resolve();
    await assert.rejects(starting, (error: unknown) => error instanceof ClosedError && /while/.test(error.message));
    await stopping;
    assert.deepEqual(log, ['abort: service is stopping: changed my mind', 'gate', 'acquired', 'released']);
  });

  it('a start that waits can give up at the signal', async () => {
    const life = new Lifecycle('service', {
      start: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
      stop: () => {},
    });
    const starting = life.start();
    const rejected = assert.rejects(starting, CancelledError);
    await life.stop();
    await rejected;
  });

  it('await using stops it', async () => {
    const service = new Service();
    {
      await using life = new Lifecycle('service', service);
      await life.start();
    }
    assert.deepEqual([service.stops, service.held], [1, 0]);
  });
});

describe('ten callers at once', () => {
  for (const failing of [undefined, 'start', 'stop'] as const) {
    it(`every order of start and stop, ${failing === undefined ? 'nothing' : failing} failing`, async () => {
      for (let pattern = 0; pattern < 2 ** 10; pattern++) {
        for (const spread of [0, 1, 3]) await stress(pattern, spread, failing);
      }
    });
  }
});

async function stress(pattern: number, spread: number, failing: 'start' | 'stop' | undefined): Promise<void> {
  const service = new Service(4, failing);
  const life = new Lifecycle('service', service);
  const calls = Array.from({ length: 10 }, async (_, caller) => {
    await turns(caller * spread);
    return (pattern >> caller) & 1 ? life.start() : life.stop({ why: String(caller) });
  });
  const results = await Promise.allSettled(calls);
  const kinds = [0, 1].map((kind) => results.filter((_, caller) => ((pattern >> caller) & 1) === kind));
  for (const same of kinds)
    assert.ok(new Set(same.map(outcome)).size <= 1, 'callers of the same kind are told the same');
  await life.stop().catch(() => {});
  const started = service.starts > 0;
  assert.ok(service.starts <= 1);
  assert.equal(service.stops, started ? 1 : 0);
  assert.equal(service.held, 0);
  assert.equal(life.state, 'stopped');
  assert.equal(await life.stopped, life.reason);
  if (started && failing !== 'stop') assert.equal(service.reason, life.reason);
}

function outcome(result: PromiseSettledResult<void>): string {
  return result.status === 'fulfilled' ? 'fulfilled' : String(result.reason);
}
