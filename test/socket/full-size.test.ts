import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('5,000 connections at once, 1 GB through one', () => atFullSize('socket/load'));
