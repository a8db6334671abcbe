import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('a million messages, each exactly once', () => atFullSize('multiprocessing/exactly-once'));
