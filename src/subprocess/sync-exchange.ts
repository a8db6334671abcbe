import { constants } from 'node:os';
import type { Deadline } from '../base/deadline.ts';
import { close, setBlocking, tryRead, tryWrite } from '../os/descriptor.ts';
import { errno, libc, systemError } from '../os/libc.ts';
import type { OurEnds } from './launch-posix.ts';

const POLLIN = 1;
const POLLOUT = 4;
const chunkSize = 65536;

/** Feeds and reads a program through its pipes until they and it have ended, by poll(2), on this thread. */
export class Exchange {
  readonly #open: OurEnds;
  readonly #pidfd: number;
  readonly #limit: number;
  readonly #chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #wanted: { stdout: boolean; stderr: boolean };
  #sizes = { stdout: 0, stderr: 0 };
  #input: Uint8Array;
  #ended = false;

  constructor(ours: OurEnds, input: string | Uint8Array | undefined, limit: number, pidfd: number) {
    this.#open = { ...ours };
    this.#pidfd = pidfd;
    this.#limit = limit;
    this.#wanted = { stdout: ours.stdout !== undefined, stderr: ours.stderr !== undefined };
    this.#input = typeof input === 'string' ? Buffer.from(input) : (input ?? Buffer.alloc(0));
    for (const fd of Object.values(ours) as number[]) setBlocking(fd, false);
    if (this.#input.length === 0) this.#closeEnd('stdin');
  }

  get output(): { stdout: Buffer | undefined; stderr: Buffer | undefined } {
    const { stdout, stderr } = this.#chunks;
    return {
      stdout: this.#wanted.stdout ? Buffer.concat(stdout) : undefined,
      stderr: this.#wanted.stderr ? Buffer.concat(stderr) : undefined,
    };
  }

  /** Until all is done, time has run out, or more was printed than may be kept. */
  run(deadline: Deadline): 'done' | 'timeout' | 'full' {
    for (;;) {
      if (this.#ended && this.#open.stdout === undefined && this.#open.stderr === undefined) return 'done';
      if (deadline.passed) return 'timeout';
      this.#wait(deadline.left);
      if (!this.#turn()) return 'full';
    }
  }

  /** What is still in the pipes, without waiting. */
  rest(): void {
    this.#turn();
  }

  close(): void {
    for (const name of ['stdin', 'stdout', 'stderr'] as const) this.#closeEnd(name);
  }

  #wait(seconds: number): void {
    const entries: [number, number][] = [];
    if (this.#open.stdin !== undefined) entries.push([this.#open.stdin, POLLOUT]);
    for (const fd of [this.#open.stdout, this.#open.stderr, this.#ended ? undefined : this.#pidfd]) {
      if (fd !== undefined) entries.push([fd, POLLIN]);
    }
    const array = Buffer.alloc(entries.length * 8);
    for (const [i, [fd, events]] of entries.entries()) {
      array.writeInt32LE(fd, i * 8);
      array.writeInt16LE(events, i * 8 + 4);
    }
    const ms = Math.min(Math.ceil(seconds * 1000), 0x7fffffff);
    const ready = libc('int poll(void *fds, unsigned long count, int timeout)')(array, entries.length, ms);
    if (ready < 0 && errno() !== constants.errno.EINTR) throw systemError('poll');
    // The pidfd is the last one: readable once the program has ended.
    if (!this.#ended) this.#ended = array.readInt16LE((entries.length - 1) * 8 + 6) !== 0;
  }

  #turn(): boolean {
    this.#feed();
    return this.#read('stdout') && this.#read('stderr');
  }

  #feed(): void {
    const fd = this.#open.stdin;
    if (fd === undefined) return;
    try {
      this.#input = this.#input.subarray(tryWrite(fd, this.#input.subarray(0, chunkSize)) ?? 0);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EPIPE') throw error;
      this.#input = Buffer.alloc(0); // the program does not want the rest
    }
    if (this.#input.length === 0) this.#closeEnd('stdin');
  }

  #read(name: 'stdout' | 'stderr'): boolean {
    for (;;) {
      const fd = this.#open[name];
      if (fd === undefined) return true;
      const bytes = tryRead(fd, chunkSize);
      if (bytes === undefined) return true;
      if (bytes.length === 0) this.#closeEnd(name);
      else this.#chunks[name].push(bytes);
      this.#sizes[name] += bytes.length;
      if (this.#sizes[name] > this.#limit) return false;
    }
  }

  #closeEnd(name: keyof OurEnds): void {
    const fd = this.#open[name];
    if (fd === undefined) return;
    delete this.#open[name];
    close(fd);
  }
}
