import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('10,000 interleavings of each primitive', () => atFullSize('asyncio/explore'));
