import { constants, freemem } from 'node:os';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';
import { close } from './descriptor.ts';
import { checked, libc } from './libc.ts';

/** Not inherited by children made by exec. */
export const MFD_CLOEXEC = 1;
/** Lets seals be put on it (fcntl(2)). */
export const MFD_ALLOW_SEALING = 2;

/**
 * A file in memory without a path, `size` bytes of it reserved: for data shared with children (`passFds`), gone with its last descriptor. `name`
 * is for /proc only. The memory is reserved at once (ENOSPC), so that no later write dies of SIGBUS. Linux. memfd_create(2).
 *
 * @example
 * const fd = memfd('frames', 1 << 20);
 */
export function memfd(name: string, size = 0, flags: number = MFD_CLOEXEC): number {
  if (typeof name !== 'string' || name.includes('\0'))
    throw new InvalidArgumentError('name', name, 'a name without NUL');
  if (!Number.isSafeInteger(size) || size < 0) throw new InvalidArgumentError('size', size, 'a number of bytes');
  if (!Number.isInteger(flags)) throw new InvalidArgumentError('flags', flags, 'MFD_CLOEXEC, MFD_ALLOW_SEALING, or-ed');
  // fallocate would go on until the machine has no memory left, and the kernel ends some program for it.
  if (size > freemem())
    throw new SystemError('ENOSPC', constants.errno.ENOSPC, 'memfd_create', { message: 'not enough free memory' });
  const fd = checked(libc('int memfd_create(str name, unsigned int flags)')(name, flags), 'memfd_create');
  if (size === 0) return fd;
  try {
    checked(libc('int ftruncate(int fd, int64_t size)')(fd, size), 'ftruncate', { fd });
    checked(libc('int fallocate(int fd, int mode, int64_t offset, int64_t size)')(fd, 0, 0, size), 'fallocate', { fd });
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
