import { InvalidStateError } from '../base/errors.ts';
import { atExit } from '../os/at-exit.ts';
import { registerAtFork } from '../os/at-fork.ts';

/** What a process knows of itself. */
export interface ProcessIdentity {
  readonly name: string;
  readonly daemon: boolean;
  /** The one that started it; undefined in the main process. */
  readonly parentPid?: number;
  /** The process it is a child of, where that is the one that started it and not a template. */
  readonly maker?: number;
}

/** A process as others see it. */
export interface ProcessInfo {
  readonly name: string;
  readonly pid: number | undefined;
  readonly daemon: boolean;
  readonly exitcode: number | undefined;
  isAlive(): boolean;
}

let identity: ProcessIdentity = { name: 'MainProcess', daemon: false };
const children = new Map<ProcessInfo, (() => unknown) | undefined>();

/**
 * The process this code runs in. (multiprocessing.current_process)
 *
 * @example
 * currentProcess().name; // MainProcess
 */
export function currentProcess(): ProcessInfo {
  const { name, daemon } = identity;
  return { name, daemon, pid: process.pid, exitcode: undefined, isAlive: () => true };
}

/**
 * The process that started this one; undefined in the main process. (multiprocessing.parent_process)
 *
 * @example
 * parentProcess()?.pid;
 */
export function parentProcess(): { readonly pid: number } | undefined {
  return identity.parentPid === undefined ? undefined : { pid: identity.parentPid };
}

/**
 * The children started by this process that run. (multiprocessing.active_children)
 *
 * @example
 * for (const child of activeChildren()) console.log(child.name, child.pid);
 */
export function activeChildren(): ProcessInfo[] {
  return [...children.keys()];
}

/** @internal */
export function currentIdentity(): ProcessIdentity {
  return identity;
}

/** @internal Called first thing in a started process. */
export function becomeProcess(own: ProcessIdentity): void {
  if (identity.parentPid !== undefined) throw new InvalidStateError('this process has a function to run already');
  identity = own;
}

/** @internal As `becomeProcess`, in one that has been forked with what its parent was. */
export function becomeForked(own: ProcessIdentity): void {
  identity = own;
  count = 0;
}

/** @internal "Process-1" and so on; of a child's child "Process-1:1". */
export function nextName(): string {
  return `${identity.parentPid === undefined ? 'Process-' : `${identity.name}:`}${++count}`;
}

/** @internal `end` is called when this process exits. */
export function remember(child: ProcessInfo, end: (() => unknown) | undefined): void {
  if (!listening) atExit(endDaemons);
  listening = true;
  children.set(child, end);
}

/** @internal */
export function forget(child: ProcessInfo): void {
  children.delete(child);
}

let count = 0;
let listening = false;

// They are siblings: neither to be listed nor to be ended here.
registerAtFork({ afterInChild: () => children.clear() });

function endDaemons(): void {
  for (const end of children.values()) end?.();
}
