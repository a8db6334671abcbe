import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('random schedules at full size', () => atFullSize('ipc/model'));
