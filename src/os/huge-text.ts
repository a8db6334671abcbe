import { readFileSync, readlinkSync } from 'node:fs';
import { libc } from './libc.ts';

const hugePage = 2 ** 21;
const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MADV_HUGEPAGE = 14;
const MREMAP_MAYMOVE_FIXED = 3;

let done = false;

/**
 * Replaces the code of the node binary in memory by a copy on huge pages, as node's --use-largepages does at start. A forked
 * child inherits no mapping of the pages of a file: it takes a fault for each piece of code it comes by, 150 to serve one
 * request, and none for huge pages, which have no file. Costs as much memory as the code is large (26 MB), once, and some 20 ms. Does
 * nothing where the kernel gives no huge pages, and on other processors than x64.
 */
export function useHugeText(): void {
  if (done || process.platform !== 'linux' || process.arch !== 'x64') return;
  done = true;
  try {
    if (/\[never\]/.test(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1'))) return;
    for (const [start, end] of codeOfNode()) replace(Math.ceil(start / hugePage) * hugePage, end - (end % hugePage));
  } catch {
    // A kernel without: it works as it is.
  }
}

function codeOfNode(): [start: number, end: number][] {
  const node = readlinkSync('/proc/self/exe');
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${node}`) && line.includes(' r-xp '))
    .map((line) => line.split(' ')[0]!.split('-'))
    .map(([start, end]) => [parseInt(start!, 16), parseInt(end!, 16)]);
}

function replace(start: number, end: number): void {
  const size = end - start;
  if (size < hugePage) return;
  const { mmap, munmap, madvise, memcpy, mprotect, mremap } = native();
  const room = mmap(0, size + hugePage, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (room < 0) return;
  const copy = Math.ceil(room / hugePage) * hugePage;
  madvise(copy, size, MADV_HUGEPAGE);
  memcpy(copy, start, size);
  // On small pages it would be worse than before: each is copied to the page tables of a child.
  const isHuge = hugeBytes(copy) >= size && mprotect(copy, size, PROT_READ_EXEC) === 0;
  // One system call: no thread can find the code missing.
  if (isHuge && mremap(copy, size, size, MREMAP_MAYMOVE_FIXED, start) === start) {
    if (copy > room) munmap(room, copy - room);
    if (copy < room + hugePage) munmap(copy + size, room + hugePage - copy);
  } else munmap(room, size + hugePage);
}

function hugeBytes(start: number): number {
  const smaps = readFileSync('/proc/self/smaps', 'latin1');
  // Its neighbours may have become one mapping with it.
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-)/m)) {
    const [from, to] = mapping.split(' ', 1)[0]!.split('-');
    if (parseInt(from!, 16) > start || parseInt(to!, 16) <= start) continue;
    return Number(/^AnonHugePages:\s+(\d+) kB/m.exec(mapping)?.[1] ?? 0) * 1024;
  }
  return 0;
}

function native() {
  return {
    mmap: libc('intptr_t mmap(uintptr_t at, size_t size, int protection, int flags, int fd, int64_t offset)'),
    munmap: libc('int munmap(uintptr_t at, size_t size)'),
    madvise: libc('int madvise(uintptr_t at, size_t size, int advice)'),
    memcpy: libc('uintptr_t memcpy(uintptr_t to, uintptr_t from, size_t size)'),
    mprotect: libc('int mprotect(uintptr_t at, size_t size, int protection)'),
    mremap: libc('intptr_t mremap(uintptr_t at, size_t size, size_t newSize, int flags, uintptr_t to)'),
  };
}
