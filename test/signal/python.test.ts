import { test } from 'node:test';
import { compareWithPython } from '../oracle/compare.ts';

const skip = process.platform !== 'linux' && 'fork works on Linux';

test('handlers, timers, waits and what programs inherit are as with CPython', { skip }, () =>
  compareWithPython('signals', 26),
);
