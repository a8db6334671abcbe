import { NotFoundError } from '../../base/errors.ts';
import { onFreshStart } from '../../base/fresh-start.ts';
import { resolve } from '../../callable/reference.ts';
import type { Reference } from '../../callable/registry.ts';
import type { PackedError } from '../../callable/packed-error.ts';
import { unpackError } from '../../callable/packed-error.ts';
import { EACH, SPREAD, STREAM } from '../channel/layout.ts';
import { ProcessMemory } from '../channel/process-memory.ts';
import type { MemoryHandle } from '../channel/process-memory.ts';
import { ThreadMemory } from '../channel/thread-memory.ts';
import { ProcessBell, ThreadBell } from './bell.ts';
import { callEach } from './items.ts';
import { endWithParent } from './parent.ts';
import { resourceCount, Runner } from './runner.ts';
import { Streams } from './streams.ts';

/** How a worker reaches its engine. */
export type Attachment =
  | { readonly kind: 'thread'; readonly buffer: SharedArrayBuffer; readonly bell: Int32Array }
  | { readonly kind: 'process'; readonly memory: MemoryHandle; readonly bell: number; readonly wake: number };

/** What a worker does besides. */
export interface WorkerSetup {
  readonly concurrency: number;
  readonly initializer: Reference | undefined;
  readonly initargs: readonly unknown[];
  /** The process the worker is a child of, if that is the engine's. */
  readonly parent: number | undefined;
}

type Fn = (...args: unknown[]) => unknown;

let runner: Runner | undefined;
let bell: ProcessBell | undefined;
// A copy of this process, which begins anew, is another worker, or none.
onFreshStart(() => {
  bell?.close();
  bell = undefined;
});
const streams = new Streams();

/** Makes this thread or process a worker; returns when the initializer has. */
export async function attach(attachment: Attachment, setup: WorkerSetup): Promise<void> {
  const resources = resourceCount();
  if (attachment.kind === 'process') endWithParent(setup.parent);
  if (setup.initializer !== undefined) await ((await resolve(setup.initializer)) as Fn)(...setup.initargs);
  runner = makeRunner(attachment, setup.concurrency);
  runner.start(resources);
}

/** Runs a call that came by message: its arguments are moved, shared or large. */
export async function hosted(
  id: number,
  mode: number,
  reference: Reference,
  args: readonly unknown[],
): Promise<unknown> {
  const own = running();
  return own.hosted(id, async () => {
    const fn = (await resolve(reference)) as Fn;
    // Told to stop meanwhile: a function that only listens for `abort` would never hear of it.
    own.calls.of(id).throwIfAborted();
    if (mode === STREAM) return streams.run(id, fn, args, own);
    return mode === EACH || mode === SPREAD ? callEach(fn, args, mode === SPREAD) : fn(...args);
  });
}

/** Gives a result that the ring could not take. */
export function fetch(id: number): unknown {
  return running().fetch(id);
}

/** Tells a call to stop. */
export function abort(id: number, reason: PackedError): void {
  running().calls.of(id).abort(unpackError(reason));
}

/** The consumer of a stream has taken some; 0 says that it takes no more. */
export function credit(id: number, items: number): void {
  streams.credit(id, items);
}

function makeRunner(attachment: Attachment, concurrency: number): Runner {
  if (attachment.kind === 'thread') {
    const memory = new ThreadMemory(attachment.buffer);
    return new Runner(memory, new ThreadBell(memory, attachment.bell), concurrency, streams);
  }
  const { memory: handle, bell: engine, wake } = attachment;
  const memory = ProcessMemory.open(handle);
  bell = new ProcessBell({ pid: handle.pid, engine, worker: wake });
  return new Runner(memory, bell, concurrency, streams);
}

function running(): Runner {
  if (runner === undefined) throw new NotFoundError('this is no worker of a pool');
  return runner;
}
