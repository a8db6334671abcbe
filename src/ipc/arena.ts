import { closeSync, fstatSync, openSync, constants } from 'node:fs';
import { BrokenError, InvalidArgumentError } from '../base/errors.ts';
import { uuid } from '../base/ids.ts';
import { registerAtFork } from '../os/at-fork.ts';
import { memfd } from '../os/memfd.ts';
import type { Mapping } from './mapping.ts';
import { map } from './mapping.ts';

const arenaBytes = 1 << 18;
const alignment = 64;
const headerBytes = 64;

/** A piece of an anonymous file that processes share by naming it to each other. */
export interface Piece extends Mapping {
  readonly pid: number;
  readonly fd: number;
  /** Tells the file from another that has come to the same number. */
  readonly id: string;
  readonly offset: number;
  readonly size: number;
}

interface Arena {
  readonly mapping: Mapping;
  readonly pid: number;
  readonly fd: number;
  readonly id: string;
  readonly size: number;
  used: number;
}

/**
 * `size` bytes of zeroed memory that other processes can map: small pieces share a file, large ones have their own. The
 * memory has no name and is gone with the last process that has it mapped.
 */
export function allocate(size: number): Piece {
  if (!Number.isSafeInteger(size) || size <= 0)
    throw new InvalidArgumentError('size', size, 'a number of bytes above 0');
  const rounded = Math.ceil(size / alignment) * alignment;
  const recycled = free.get(rounded)?.pop();
  if (recycled !== undefined) {
    new Uint8Array(recycled.buffer, recycled.offset, rounded).fill(0);
    return recycled;
  }
  if (rounded > arenaBytes / 4) return pieceOf(create(rounded + headerBytes), headerBytes, size);
  if (arena === undefined || arena.used + rounded > arena.size) arena = create(arenaBytes);
  const offset = arena.used;
  arena.used += rounded;
  return pieceOf(arena, offset, size);
}

/** Takes back a piece that no other process has ever been told of. */
export function recycle(piece: Piece): void {
  const rounded = Math.ceil(piece.size / alignment) * alignment;
  if (piece.pid !== process.pid || rounded > arenaBytes / 4) return;
  let pieces = free.get(rounded);
  if (pieces === undefined) free.set(rounded, (pieces = []));
  pieces.push(piece);
}

/** The same piece as another process has named it. BrokenError if that process is gone. */
export function adopt(pid: number, fd: number, id: string, offset: number, size: number): Piece {
  const key = `${pid} ${fd} ${id}`;
  let known = arenas.get(key);
  if (known === undefined) arenas.set(key, (known = open(pid, fd, id)));
  return pieceOf(known, offset, size);
}

const arenas = new Map<string, Arena>();
const free = new Map<number, Piece[]>();
let arena: Arena | undefined;

function create(size: number): Arena {
  const fd = memfd('simul', size);
  const mapping = map(fd, size);
  const made: Arena = { mapping, pid: process.pid, fd, id: uuid(), size, used: headerBytes };
  Buffer.from(mapping.buffer).write(made.id, 'latin1');
  arenas.set(`${made.pid} ${fd} ${made.id}`, made);
  return made;
}

// The owner's descriptor is opened anew through /proc, which the kernel allows to the same user only.
function open(pid: number, fd: number, id: string): Arena {
  const path = `/proc/${pid}/fd/${fd}`;
  let own: number;
  try {
    own = openSync(path, constants.O_RDWR);
  } catch (cause) {
    throw new BrokenError(`the process ${pid} that owned this shared object has ended, or is another user's`, {
      cause,
    });
  }
  const { size } = fstatSync(own);
  if (size < headerBytes) return gone(own, pid);
  const mapping = map(own, size);
  if (Buffer.from(mapping.buffer, 0, 36).toString('latin1') !== id) return gone(own, pid);
  return { mapping, pid: process.pid, fd: own, id, size, used: size };
}

function gone(fd: number, pid: number): never {
  closeSync(fd);
  throw new BrokenError(`the shared object is gone: process ${pid} is not the one that owned it`);
}

function pieceOf({ mapping, pid, fd, id }: Arena, offset: number, size: number): Piece {
  return { address: mapping.address, buffer: mapping.buffer, pid, fd, id, offset, size };
}

registerAtFork({
  afterInChild: () => {
    // Parent and child would give out the same pieces. What is mapped stays usable, and is named by the child from now on.
    arena = undefined;
    free.clear();
  },
});
