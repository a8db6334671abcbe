import { test } from 'node:test';
import { atFullSize } from '../fixtures/program.ts';

test('64 MB through pipe and FIFO, 50 workers ended with open watches, 10,000 signals', async () => {
  for (const suite of ['os/pipe', 'os/fifo', 'os/poll', 'signal/signal']) await atFullSize(suite);
});
