import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('a million lock pairs, 1,000 killed holders, 300 killed at a queue', () =>
  atFullSize('multiprocessing/kill', 165));
