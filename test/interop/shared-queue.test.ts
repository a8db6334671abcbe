import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pause } from '../../src/base/pause.ts';
import { fileWithText } from '../support/file.ts';
import { Fleet, wait } from './fleet.ts';

/**
 * Least durations in seconds, the real ones with SIMUL_LONG=1. That time passes is what is tested here, and there is no
 * virtual clock in Redis and Python; a machine that is slow makes the durations longer, which does no harm.
 */
const long = process.env['SIMUL_LONG'] === '1';
const times = long ? { task: 60, lease: 15, visibility: 40 } : { task: 3, lease: 1.5, visibility: 3 };
const end = { timeout: times.visibility * 3 + 30 };

describe('Python and Simul workers on one queue:', { concurrency: 3 }, () => {
  it('200 tasks, each exactly once, and both take some', async () => {
    await using fleet = await Fleet.start();
    const path = fleet.file();
    const python = fleet.pythonClient();
    await fleet.pythonWorker({ queues: ['both'] });
    await fleet.simulWorker({ queues: ['both'], concurrency: 1 });
    const half = await Promise.all(
      Array.from({ length: 100 }, () => fleet.client.sendTask('interop.who', [path, 0.005], { queue: 'both' })),
    );
    await python.run(
      `rs = [who.apply_async((${JSON.stringify(path)}, 0.005), queue='both') for _ in range(100)]`,
      `whos = [r.get(timeout=${wait.timeout}) for r in rs]`,
    );
    const whos = [
      ...(await Promise.all(half.map((result) => result.get(wait)))),
      ...(await python.run<string[]>('whos')),
    ];
    const lines = linesOf(path);
    assert.equal(lines.length, 200);
    for (const kind of ['python', 'simul']) {
      assert.equal(lines.filter((line) => line === kind).length, whos.filter((who) => who === kind).length);
      assert.ok(lines.includes(kind), `${kind} took none`);
    }
  });

  it('chains and retries that go to and fro between the languages', async () => {
    await using fleet = await Fleet.start();
    const python = fleet.pythonClient();
    await fleet.pythonWorker({ queues: ['python', 'both'] });
    await fleet.simulWorker({ queues: ['simul', 'both'], concurrency: 1 });
    const links = ['simul', 'python', 'simul', 'python'].map((queue, i) =>
      i === 0 ? `add.s(1, 1).set(queue='${queue}')` : `add.s(${10 ** i}).set(queue='${queue}')`,
    );
    const sum = await python.run(
      'from celery import chain',
      `chain(${links.join(', ')})().get(timeout=${wait.timeout})`,
    );
    assert.equal(sum, 1112);
    const theirs = python.run<number[]>(
      "rs = [retried.apply_async((3,), queue='both') for _ in range(10)]",
      `[r.get(timeout=${wait.timeout}) for r in rs]`,
    );
    const ours = await Promise.all(
      Array.from({ length: 10 }, () => fleet.client.sendTask('interop.retried', [3], { queue: 'both' })),
    );
    const tries = [...(await theirs), ...(await Promise.all(ours.map((result) => result.get(wait))))];
    assert.deepEqual(tries, Array(20).fill(3));
  });

  it(`a Python task of ${times.lease * 2 + times.task} s is not taken over by a Simul worker with a lease of ${times.lease} s`, async () => {
    await using fleet = await Fleet.start();
    const path = fleet.file();
    const options = { queues: ['both'], visibilityTimeout: 3600 };
    await fleet.pythonWorker(options);
    const result = await fleet.client.sendTask('interop.held', [path], { queue: 'both' });
    await fileWithText(path);
    // A Simul worker looks for claims of others when it starts, and every 10 s after that.
    await pause(times.lease * 2);
    await fleet.simulWorker({ ...options, lease: times.lease });
    await pause(times.task);
    finish(path);
    assert.equal(await result.get(end), 'python');
    assert.deepEqual(steps(path), ['python begins', 'python ends']);
  });

  it(`a Simul task is not taken over by Python after its visibility timeout of ${times.visibility} s`, async () => {
    await using fleet = await Fleet.start();
    const path = fleet.file();
    const options = { queues: ['both'], visibilityTimeout: times.visibility };
    await fleet.simulWorker({ ...options, lease: times.lease });
    const result = await fleet.client.sendTask('interop.held', [path], { queue: 'both' });
    await fileWithText(path);
    await pause(times.visibility + 0.5);
    // A Python worker looks for abandoned claims when it starts, and every 100 s after that.
    await fleet.pythonWorker({ ...options, queues: ['both', 'python'] });
    const next = await fleet.client.sendTask('interop.who', [], { queue: 'python' });
    assert.equal(await next.get(wait), 'python');
    finish(path);
    assert.equal(await result.get(end), 'simul');
    assert.deepEqual(steps(path), ['simul begins', 'simul ends']);
  });

  it('the task of a killed Python worker comes to a Simul worker, after the visibility timeout only', async () => {
    await using fleet = await Fleet.start();
    const path = fleet.file();
    const options = { queues: ['both'], visibilityTimeout: times.visibility };
    const python = await fleet.pythonWorker(options);
    const result = await fleet.client.sendTask('interop.held', [path], { queue: 'both' });
    await fileWithText(path);
    await python.kill();
    finish(path);
    await fleet.simulWorker({ ...options, lease: times.lease });
    assert.equal(await result.get(end), 'simul');
    assert.deepEqual(steps(path), ['python begins', 'simul begins', 'simul ends']);
    const [first, second] = timesOf(path);
    // Python claims a moment before it begins.
    assert.ok(second! - first! > times.visibility - 0.5, `taken over after ${second! - first!} s`);
  });

  it('the task of a killed Simul worker comes to another long before its lease ends', async () => {
    await using fleet = await Fleet.start();
    const path = fleet.file();
    // Far beyond the time that is waited for.
    const options = { queues: ['both'], lease: 600 };
    const killed = await fleet.simulWorker(options);
    const result = await fleet.client.sendTask('interop.held', [path], { queue: 'both' });
    await fileWithText(path);
    await killed.kill();
    finish(path);
    await fleet.simulWorker(options);
    assert.equal(await result.get(end), 'simul');
    assert.deepEqual(steps(path), ['simul begins', 'simul begins', 'simul ends']);
  });
});

function finish(path: string): void {
  writeFileSync(`${path}.end`, '');
}

function steps(path: string): string[] {
  return linesOf(path).map((line) => line.replace(/ [\d.]+$/, ''));
}

function timesOf(path: string): number[] {
  return linesOf(path).map((line) => Number(line.split(' ').at(-1)));
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}
