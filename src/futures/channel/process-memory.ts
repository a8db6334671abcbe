import { closeSync, constants, openSync } from 'node:fs';
import { BrokenError } from '../../base/errors.ts';
import { futexWait, futexWake } from '../../ipc/futex.ts';
import type { Mapping } from '../../ipc/mapping.ts';
import { forget, map } from '../../ipc/mapping.ts';
import { close } from '../../os/descriptor.ts';
import { memfd } from '../../os/memfd.ts';
import { BLOCK_BYTES, HEADER_BYTES } from './layout.ts';
import type { Memory } from './memory.ts';
import { viewsOf } from './memory.ts';

/** Where a process finds the memory: a descriptor of the process that made it. */
export interface MemoryHandle {
  readonly pid: number;
  readonly fd: number;
}

/** Memory between processes: an anonymous file, gone with the last that has it. */
export class ProcessMemory implements Memory {
  readonly words: Int32Array;
  readonly bytes: Buffer;
  readonly doubles: Float64Array;
  readonly #mapping: Mapping;
  readonly #fd: number | undefined;

  private constructor(mapping: Mapping, fd?: number) {
    this.#mapping = mapping;
    this.#fd = fd;
    const { words, bytes, doubles } = viewsOf(mapping.buffer);
    this.words = words;
    this.bytes = bytes;
    this.doubles = doubles;
  }

  /** New memory, or that of a worker that is gone. */
  static take(): ProcessMemory {
    const used = spare.pop();
    if (used !== undefined) {
      used.bytes.fill(0, 0, HEADER_BYTES);
      used.words[HEADER_BYTES / 4] = 0;
      return used;
    }
    const fd = memfd('simul-pool', BLOCK_BYTES);
    return new ProcessMemory(map(fd, BLOCK_BYTES), fd);
  }

  /** In the worker: the memory its maker has named. BrokenError if that is gone. */
  static open({ pid, fd }: MemoryHandle): ProcessMemory {
    let own: number;
    try {
      own = openSync(`/proc/${pid}/fd/${fd}`, constants.O_RDWR);
    } catch (cause) {
      throw new BrokenError(`process ${pid}, which owns this pool, has ended`, { cause });
    }
    try {
      return new ProcessMemory(map(own, BLOCK_BYTES));
    } finally {
      closeSync(own);
    }
  }

  handle(): MemoryHandle {
    return { pid: process.pid, fd: this.#fd! };
  }

  /** No process has it any more but this one, which keeps it for the next worker while a pool is open. */
  release(): void {
    if (pools > 0 && spare.length < mostSpare) spare.push(this);
    else this.#free();
  }

  wait(index: number, value: number, seconds: number): void {
    futexWait([[this.#mapping.address + index * 4, value]], seconds);
  }

  wake(index: number): void {
    futexWake(this.#mapping.address + index * 4, 1);
  }

  #free(): void {
    // Not unmapped: a view that somebody still reads would end the process.
    forget(this.#mapping, BLOCK_BYTES);
    close(this.#fd!);
  }

  /** A pool of processes opens, or has closed. */
  static pool(opened: boolean): void {
    pools += opened ? 1 : -1;
    if (pools === 0) for (const memory of spare.splice(0)) memory.#free();
  }
}

const mostSpare = 8;
const spare: ProcessMemory[] = [];
let pools = 0;
