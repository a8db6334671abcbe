import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Contender, RowPlan } from '../../bench/harness.ts';
import { measure, throughput } from '../../bench/harness.ts';
import { proveCount, proveIds, proveSum } from '../../bench/proof.ts';
import { median, percentile } from '../../bench/statistics.ts';
import { table } from '../../bench/table.ts';

const context = { runs: 3, withPeers: true };

function contender(name: string, values: readonly number[], log: string[] = []): Contender {
  let run = 0;
  return {
    run: () => {
      log.push(name);
      return { value: values[run++]!, operations: 1000 };
    },
  };
}

function plan(fields: Partial<RowPlan>): RowPlan {
  return { name: 'row', unit: 'op/s', better: 'higher', ours: contender('ours', [0, 1, 2, 3]), ...fields };
}

test('medians, extremes and ratios come from the counted runs alone', async () => {
  const ours = contender('ours', [1000, 30, 10, 20]);
  const row = await measure('area', plan({ ours, peers: { rival: contender('rival', [1, 4, 5, 6]) } }), context);
  assert.equal(row.ours, 20);
  assert.deepEqual(row.peers, { rival: 5 });
  assert.deepEqual(row.ratio, { rival: 4 });
  assert.deepEqual(row.min, { ours: 10, rival: 4 });
  assert.deepEqual(row.max, { ours: 30, rival: 6 });
  assert.deepEqual(row.runs, [
    { ours: 30, rival: 4 },
    { ours: 10, rival: 5 },
    { ours: 20, rival: 6 },
  ]);
});

test('for times the ratio is turned round: larger is better for ours', async () => {
  const ours = contender('ours', [0, 2, 2, 2]);
  const row = await measure(
    'area',
    plan({ better: 'lower', ours, peers: { rival: contender('r', [0, 6, 6, 6]) } }),
    context,
  );
  assert.deepEqual(row.ratio, { rival: 3 });
});

test('contenders take turns at going first', async () => {
  const log: string[] = [];
  const values = [1, 1, 1, 1];
  await measure(
    'area',
    plan({ ours: contender('A', values, log), peers: { B: contender('B', values, log) } }),
    context,
  );
  assert.deepEqual(log, ['B', 'A', 'A', 'B', 'B', 'A', 'A', 'B']);
});

test('a contender that loses something fails its row, is closed, and the others go on', async () => {
  let closed = 0;
  const ours: Contender = {
    run: () => {
      proveCount('results', 3, 2);
      return { value: 1, operations: 1 };
    },
    close: () => void closed++,
  };
  const row = await measure('area', plan({ ours, peers: { rival: contender('rival', [1, 1, 1, 1]) } }), context);
  assert.equal(row.ours, null);
  assert.deepEqual(row.peers, { rival: 1 });
  assert.deepEqual(row.ratio, {});
  assert.match(row.failures['ours']!, /3 expected, 2 arrived/);
  assert.equal(closed, 1);
  assert.match(table([row]), /ours +FAILED/);
});

test('a run that hangs or gives no number fails', async () => {
  const hung = await measure('area', plan({ ours: { run: () => new Promise(() => {}) }, limit: 0.01 }), context);
  assert.match(hung.failures['ours']!, /more than 0\.01 s/);
  const nan = await measure('area', plan({ ours: contender('ours', [NaN]) }), context);
  assert.match(nan.failures['ours']!, /the run gave NaN/);
});

test('the CPU cost covers this process', async () => {
  const burn = () => {
    for (const start = process.cpuUsage().user; process.cpuUsage().user - start < 20_000;);
  };
  const row = await measure('area', plan({ ours: { run: () => throughput(100, burn) } }), context);
  assert.ok(row.cpu['ours']! >= 0.2, `20 ms over 100 operations are 0.2 s per 1,000: ${row.cpu['ours']}`);
});

test(
  'the CPU cost covers child processes, those that have ended and those that live',
  { skip: process.platform !== 'linux' },
  async () => {
    const burn = 'const s = process.cpuUsage().user; while (process.cpuUsage().user - s < 60_000);';
    const ended = () => void spawnSync(process.execPath, ['-e', burn]);
    const reaped = await measure('area', plan({ ours: { run: () => throughput(1000, ended) } }), context);
    assert.ok(reaped.cpu['ours']! >= 0.04, String(reaped.cpu['ours']));
    const child = spawn(process.execPath, ['-e', `process.on('message', () => { ${burn} process.send('done') })`], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const living = () => {
      child.send('burn');
      return once(child, 'message');
    };
    const alive = await measure('area', plan({ ours: { run: () => throughput(1000, living) } }), context);
    assert.ok(alive.cpu['ours']! >= 0.04, String(alive.cpu['ours']));
    child.disconnect();
    await once(child, 'exit');
  },
);

test('proofs name what is lost, doubled and foreign', () => {
  proveIds('ids', ['a', 'b'], ['b', 'a']);
  proveSum('sum', 6, [1, 2, 3]);
  assert.throws(() => proveIds('ids', ['a', 'b', 'c'], ['a', 'a', 'x']), /of 3, 2 lost, 1 twice, 1 that nobody sent/);
  assert.throws(() => proveSum('sum', 6, [1, 2, 2]), /should be 6, it is 5/);
});

test('median and percentile', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(percentile([0, 10], 0.9), 9);
  assert.ok(Number.isNaN(median([])));
});
