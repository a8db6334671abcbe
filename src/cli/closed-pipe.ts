/**
 * Has a command go on to its end when nobody reads its output any more, as in `simul --help | head -1`: Node ignores
 * SIGPIPE, and the EPIPE that comes in its place would end it with a stack.
 */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    });
  }
}
