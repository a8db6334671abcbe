import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('10,000 programs started and reaped', () => atFullSize('subprocess/popen'));
