import type { Request, Response } from '../callable/protocol.ts';
import { serve } from '../callable/serve.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';
import { frameOf } from '../ipc/framed-connection.ts';

/** Runs functions for the other end, which is told `hello` first; ends this process when it hangs up or says so. */
export function serveForked(connection: FramedConnection, hello: Uint8Array): void {
  connection.trust();
  const handle = serve(
    // Serialised at once: what cannot be is the failure of its call.
    (batch: readonly Response[]) => void connection.sendBytes(frameOf(batch)).catch(() => {}),
    () => process.exit(0),
    'process',
  );
  void (async () => {
    await connection.sendBytes(hello);
    for await (const batch of connection as AsyncIterable<readonly Request[]>) handle(batch);
    process.exit(0); // the parent is gone
  })();
}
