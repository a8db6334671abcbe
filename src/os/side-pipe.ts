import { constants } from 'node:os';
import { close, O_CLOEXEC, pipe2, tryReadInto } from './descriptor.ts';
import { errno, libc, systemError } from './libc.ts';

const F_SETPIPE_SZ = 1031;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const { EAGAIN, EINTR, EINVAL, ENOSYS, EPERM } = constants.errno;

/**
 * A pipe between a pipe and its reader: what is there is moved over without being copied, and copied out of it. A pipe's
 * lock is held while either side copies, so that a writer and a reader of one pipe take turns; here the writer goes on
 * meanwhile. Empty between calls. splice(2), linux/fs/pipe.c.
 */
export class SidePipe {
  readonly #ends: readonly [r: number, w: number];

  private constructor(ends: readonly [number, number]) {
    this.#ends = ends;
  }

  /** `undefined` where there is no splice, or no room: what the pipes of one user hold is limited (pipe(7)). */
  static open(room: number): SidePipe | undefined {
    if (process.platform !== 'linux') return undefined;
    let ends: readonly [number, number];
    try {
      ends = pipe2(O_CLOEXEC);
    } catch {
      return undefined;
    }
    const side = new SidePipe(ends);
    if (libc('int fcntl(int fd, int cmd, int arg)')(ends[1], F_SETPIPE_SZ, room) >= room) return side;
    side.close();
    return undefined;
  }

  /** Reads up to `size` bytes of the pipe `fd`, as `tryReadInto`; 'refused', with nothing moved, where splice(2) is forbidden (seccomp). */
  readInto(fd: number, buffer: Uint8Array, size: number): number | undefined | 'refused' {
    const moved = this.#take(fd, size);
    if (moved === undefined || moved === 'refused') return moved;
    for (let got = 0; got < moved;) {
      const rest = got === 0 ? buffer : buffer.subarray(got);
      got += tryReadInto(this.#ends[0], rest, moved - got) ?? 0;
    }
    return moved;
  }

  close(): void {
    for (const end of this.#ends) close(end);
  }

  #take(fd: number, size: number): number | undefined | 'refused' {
    const call = libc('long splice(int from, void *in, int to, void *out, size_t size, uint32_t flags)');
    for (;;) {
      const moved = call(fd, null, this.#ends[1], null, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (moved >= 0) return moved;
      const number = errno();
      if (number === EAGAIN) return undefined;
      if (number === ENOSYS || number === EPERM || number === EINVAL) return 'refused';
      if (number !== EINTR) throw systemError('splice', { fd, errno: number });
    }
  }
}
