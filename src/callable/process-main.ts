// What a ProcessHost's child runs.
import type { Request } from './protocol.ts';
import { serve } from './serve.ts';

// `disconnect` while a message is handled breaks Node 20's channel; exiting closes it as well.
const handle = serve(
  (batch) => void process.send?.(batch, undefined, undefined, () => {}),
  () => process.exit(0),
  'process',
);
process.on('message', (batch: readonly Request[]) => handle(batch));
// The end of the channel is the end of the parent, however that came.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole foreground group; the parent decides what becomes of its children.
process.on('SIGINT', () => {});
