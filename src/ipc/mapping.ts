import { SystemError } from '../base/errors.ts';
import { koffi, libc, systemError } from '../os/libc.ts';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FIXED_ANONYMOUS_NORESERVE = 2 | 0x10 | 0x20 | 0x4000;
const MAP_FAILED = 2 ** 64;

/** Memory of a file as this process sees it. Never unmapped: reading a view after that would end the process. */
export interface Mapping {
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

export function map(fd: number, size: number): Mapping {
  const address = mmap()(0, size, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  if (address >= MAP_FAILED - 4096 || address === -1) throw systemError('mmap', { fd });
  return viewOf(address, size);
}

/** The same memory in another thread of this process. */
export function viewOf(address: number, size: number): Mapping {
  return { address, buffer: koffi().view(BigInt(address), size) };
}

/**
 * Gives the memory back but keeps the addresses: private empty pages take its place, so that a view somebody still
 * holds reads zeros and harms nobody.
 */
export function forget({ address }: Mapping, size: number): void {
  if (mmap()(address, size, PROT_READ_WRITE, MAP_FIXED_ANONYMOUS_NORESERVE, -1, 0) !== address)
    throw systemError('mmap');
}

/** Sizes a file and reserves its memory, so that a full file system is an error now and not SIGBUS later. */
export function reserve(fd: number, size: number, path?: string): void {
  const details = path === undefined ? { fd } : { path };
  if (libc('int ftruncate(int fd, int64_t size)')(fd, size) < 0) throw systemError('ftruncate', details);
  const number = libc('int posix_fallocate(int fd, int64_t offset, int64_t size)')(fd, 0, size);
  if (number === 0) return;
  const error = systemError('posix_fallocate', { ...details, errno: number });
  if (error.code !== 'ENOSPC') throw error;
  throw new SystemError('ENOSPC', number, 'posix_fallocate', {
    ...details,
    message: `no room for ${size} bytes of shared memory (/dev/shm is full; containers have 64 MB unless told otherwise)`,
  });
}

function mmap() {
  return libc('uintptr_t mmap(uintptr_t at, size_t size, int protection, int flags, int fd, int64_t offset)');
}
