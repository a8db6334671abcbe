import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('500 forks that each work, and 1,000 siblings with ids of their own', () => atFullSize('os/fork'));
