import { constants } from 'node:os';
import { isMainThread, threadId } from 'node:worker_threads';
import { onFreshStart } from '../base/fresh-start.ts';
import { InvalidArgumentError, SystemError, UnsupportedError } from '../base/errors.ts';
import { atExit } from '../os/at-exit.ts';
import { signalNumber } from '../os/process-ids.ts';
import {
  defaultDisposition,
  handlerOf,
  ignoredDisposition,
  isDefault,
  isIgnored,
  readDisposition,
  writeDisposition,
} from './disposition.ts';
import type { Disposition } from './disposition.ts';
import { SIG_DFL, SIG_IGN, signalName } from './names.ts';

/** Called in the event loop, some time after the signal, with its number and name. */
export type SignalHandler = (signum: number, name: NodeJS.Signals) => void;
/** What happens on a signal. */
export type SignalAction = SignalHandler | typeof SIG_IGN | typeof SIG_DFL;

interface Slot {
  readonly signum: number;
  readonly name: NodeJS.Signals | undefined;
  /** `undefined`: as others have it. */
  action: SignalAction | undefined;
  /** What we have put into the kernel behind libuv's back, and what was there before. */
  overwritten: Overwritten | undefined;
  listening: boolean;
  /** Waits that take the signal before the handler does. */
  readonly takers: Set<(signum: number) => void>;
  readonly listener: () => void;
}

interface Overwritten {
  readonly by: Disposition;
  readonly before: Disposition;
  /** Others listened by `process.on`. */
  readonly foreign: boolean;
}

const slots = new Map<number, Slot>();
const afterHandler = new Set<() => void>();

/**
 * Sets what happens on a signal, given by number or name: a handler, `SIG_IGN` (children inherit it, as POSIX says) or
 * `SIG_DFL`. Returns what was set before, to be given back later; `undefined` if others listen by `process.on`, and given
 * back it leaves the signal to them. Handlers run in
 * the event loop in order of arrival; equal signals may be merged while they wait, none runs twice. The kernel's
 * defaults come back when the program exits.
 *
 * SIGKILL, SIGSTOP and numbers out of range: SystemError EINVAL. In a worker thread, and SIGCHLD to SIG_IGN: UnsupportedError.
 * Node opens its inspector on SIGUSR1 only while nobody ever set a handler for it. sigaction(2).
 *
 * @example
 * const previous = signal('SIGUSR1', () => console.log('reload'));
 */
export function signal(sig: number | NodeJS.Signals, action: SignalAction | undefined): SignalAction | undefined {
  const signum = checkSignal(sig);
  checkAction(signum, action);
  const before = getsignal(signum);
  const slot = slotOf(signum);
  if (typeof action === 'function' && slot.name === undefined)
    throw new UnsupportedError(`Node cannot handle signal ${signum}; SIG_IGN and SIG_DFL can be set for it`);
  slot.action = action;
  apply(slot);
  return before;
}

/** What is set for a signal: a handler of ours, SIG_IGN, SIG_DFL, or `undefined` for listeners of `process.on`. */
export function getsignal(sig: number | NodeJS.Signals): SignalAction | undefined {
  const signum = signalNumber(sig);
  const slot = slots.get(signum);
  const now = readDisposition(signum);
  if (slot !== undefined && (typeof slot.action === 'function' || isOurs(slot, now))) return slot.action;
  if (isIgnored(now)) return SIG_IGN;
  if (isDefault(now)) return SIG_DFL;
  // Node itself catches some (SIGINT, to restore the terminal) only to do what the default would.
  return foreignListeners(signum, slot) ? undefined : SIG_DFL;
}

/** Takes the next deliveries of a signal in place of its handler, until released. @internal */
export function takeSignal(sig: number | NodeJS.Signals, taker: (signum: number) => void): () => void {
  const signum = checkSignal(sig);
  const slot = slotOf(signum);
  if (slot.name === undefined) throw new UnsupportedError(`Node cannot wait for signal ${signum}`);
  if (slot.takers.size === 0) rememberAction(slot);
  slot.takers.add(taker);
  apply(slot);
  return () => {
    if (slot.takers.delete(taker)) apply(slot);
  };
}

// The handlers are the parent's program's; what is ignored stays so, as it does in programs that are started.
onFreshStart(() => {
  for (const slot of slots.values()) {
    slot.takers.clear();
    slot.listening = false; // all listeners have been removed
    if (typeof slot.action === 'function') slot.action = undefined;
    apply(slot);
  }
});

/** Calls back after the next handler has run. @internal */
export function onceHandled(callback: () => void): () => void {
  afterHandler.add(callback);
  return () => {
    afterHandler.delete(callback);
  };
}

/** The number of a signal whose action may be changed from here; throws the reason otherwise. */
export function checkSignal(sig: number | NodeJS.Signals): number {
  if (!isMainThread)
    throw new UnsupportedError(
      `signals belong to the process: only its main thread may set them, not worker ${threadId}`,
    );
  const signum = signalNumber(sig);
  readDisposition(signum); // EINVAL for what is no signal
  if (signum === constants.signals.SIGKILL || signum === constants.signals.SIGSTOP) {
    const message = `${signalName(signum)} can be neither caught nor ignored`;
    throw new SystemError('EINVAL', constants.errno.EINVAL, 'sigaction', { message });
  }
  return signum;
}

function checkAction(signum: number, action: SignalAction | undefined): void {
  if (action !== undefined && action !== SIG_IGN && action !== SIG_DFL && typeof action !== 'function')
    throw new InvalidArgumentError('action', action, 'a function, SIG_IGN, SIG_DFL, or undefined for as it was');
  if (signum === constants.signals.SIGCHLD && action === SIG_IGN)
    throw new UnsupportedError(
      'SIGCHLD cannot be ignored: the kernel would reap every child, and nobody would learn their exit statuses',
    );
}

function slotOf(signum: number): Slot {
  let slot = slots.get(signum);
  if (slot === undefined) {
    const fresh: Slot = {
      signum,
      name: signalName(signum),
      action: undefined,
      overwritten: undefined,
      listening: false,
      takers: new Set(),
      listener: () => deliver(fresh),
    };
    slot = fresh;
    slots.set(signum, slot);
    if (slots.size === 1) atExit(restoreDefaults);
  }
  return slot;
}

// A slot made for a wait has to leave an inherited SIG_IGN as it found it.
function rememberAction(slot: Slot): void {
  if (slot.action === undefined && isIgnored(readDisposition(slot.signum))) slot.action = SIG_IGN;
}

function apply(slot: Slot): void {
  // First everything as libuv believes it to be, so that its own bookkeeping stays right.
  giveBack(slot);
  listen(slot, typeof slot.action === 'function' || slot.takers.size > 0);
  if (slot.listening) {
    ensureCaught(slot);
    return;
  }
  // The default of SIGCHLD would keep libuv from seeing the ends of Node's own children.
  if (slot.action === undefined || (slot.signum === SIGCHLD && slot.action === SIG_DFL)) return;
  const now = readDisposition(slot.signum);
  if (slot.action === SIG_DFL && (isDefault(now) || isNodesOwn(slot, now))) return;
  const by = slot.action === SIG_IGN ? ignoredDisposition : defaultDisposition;
  slot.overwritten = { by, before: now, foreign: foreignListeners(slot.signum, slot) };
  if (!(slot.action === SIG_IGN && isIgnored(now))) writeDisposition(slot.signum, by);
}

const { SIGCHLD } = constants.signals;

// Only what we wrote is taken back: since then libuv may have installed its handler for somebody's first listener, or
// removed it after the last.
function giveBack(slot: Slot): void {
  const { overwritten } = slot;
  if (overwritten === undefined) return;
  const ours = isOurs(slot, readDisposition(slot.signum));
  slot.overwritten = undefined;
  if (!ours) return;
  const orphaned = overwritten.foreign && !foreignListeners(slot.signum, slot);
  writeDisposition(slot.signum, orphaned ? defaultDisposition : overwritten.before);
}

function isOurs(slot: Slot, now: Disposition): boolean {
  return slot.overwritten !== undefined && handlerOf(now) === handlerOf(slot.overwritten.by);
}

let libuvs: Disposition | undefined;

// libuv installs its handler, the same for every signal, for the first listener only.
function ensureCaught(slot: Slot): void {
  const now = readDisposition(slot.signum);
  if (!isDefault(now) && !isIgnored(now)) libuvs ??= now;
  else if (libuvs !== undefined) writeDisposition(slot.signum, libuvs);
}

function listen(slot: Slot, wanted: boolean): void {
  if (wanted === slot.listening || slot.name === undefined) return;
  slot.listening = wanted;
  if (wanted) process.on(slot.name, slot.listener);
  else process.removeListener(slot.name, slot.listener);
}

// Not ignored, nobody listens: a handler Node installed at start, which does what the default does.
function isNodesOwn(slot: Slot, now: Disposition): boolean {
  return !isIgnored(now) && !foreignListeners(slot.signum, slot);
}

function deliver(slot: Slot): void {
  const [taker] = slot.takers;
  if (taker !== undefined) {
    taker(slot.signum);
    return;
  }
  try {
    if (typeof slot.action === 'function') slot.action(slot.signum, slot.name!);
  } finally {
    for (const callback of afterHandler) callback();
  }
}

function foreignListeners(signum: number, slot: Slot | undefined): boolean {
  const name = slot?.name ?? signalName(signum);
  if (name === undefined) return false;
  return process.listeners(name).some((listener) => listener !== slot?.listener);
}

// The loop has ended: a handler would never run, and the signal would be lost on a program that hangs in its last act.
function restoreDefaults(): void {
  for (const slot of slots.values()) {
    if (slot.listening && slot.signum !== SIGCHLD) writeDisposition(slot.signum, defaultDisposition);
  }
}
