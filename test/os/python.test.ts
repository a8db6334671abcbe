import { test } from 'node:test';
import { compareWithPython } from '../oracle/compare.ts';

const skip = process.platform !== 'linux' && 'fork works on Linux';

test('processes, wait statuses, pipes and FIFOs do as with CPython', { skip }, () =>
  compareWithPython('os_processes', 36),
);
