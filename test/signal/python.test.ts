import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import * as S from '../../src/entry/signal.ts';
import { compareWithPython } from '../oracle/compare.ts';

const skip = process.platform !== 'linux' && 'fork works on Linux';

test('handlers, timers, waits and what programs inherit are as with CPython', { skip }, () =>
  compareWithPython('signals', 26),
);

test('the numbers of signals agree with CPython', () => {
  const script = 'import signal; print(sorted(int(s) for s in signal.valid_signals()))';
  const theirs = execFileSync('python3', ['-c', script], { encoding: 'utf8' });
  assert.deepEqual(
    [...S.validSignals()].sort((a, b) => a - b),
    JSON.parse(theirs),
  );
});
