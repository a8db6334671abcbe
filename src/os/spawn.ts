import { constants } from 'node:os';
import { O_NONBLOCK, setBlocking } from './descriptor.ts';
import { duplicate } from './duplicate.ts';
import { nativeEnvironment, ownEnvironmentWith } from './environ.ts';
import { libc, systemError } from './libc.ts';
import type { NativeFunction } from './libc.ts';

/** Where a child's descriptor comes from: one of ours, or the null device. */
export type FdSource = number | 'null';

export interface SpawnRequest {
  /** Path of the program; it is not searched for. */
  readonly path: string;
  readonly argv: readonly string[];
  /** NAME=value pairs, or this process's own environment with one pair more or instead. */
  readonly env: readonly string[] | { readonly added: string | undefined };
  readonly cwd?: string | undefined;
  /** Descriptor n of the child is entry n; others are closed in the child. */
  readonly fds: readonly FdSource[];
  /** Further descriptors of ours that the child keeps under their numbers. */
  readonly passFds?: readonly number[] | undefined;
  readonly newSession?: boolean | undefined;
  /** 0 puts the child in a group of its own, a positive number in that group. */
  readonly processGroup?: number | undefined;
  /** Signals given back their default action; others that are ignored here stay ignored there. */
  readonly defaultSignals: readonly number[];
}

const SETPGROUP = 0x02;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const O_RDWR = 2;
const F_GETFL = 3;
const { EBADF } = constants.errno;

/**
 * Starts a program by posix_spawn(3), which takes 0.1 ms however large this process is (Node's own spawn copies the page
 * tables). Throws SystemError; nothing is left behind then. The caller reaps the child. Linux with glibc only.
 */
export function posixSpawn(request: SpawnRequest): number {
  const moved: number[] = [];
  let actions: Buffer | undefined;
  try {
    const sources = request.fds.map((source, target) => safeSource(source, target, request.fds.length, moved));
    if (isPlain(sources, request)) return spawned(request, plainActions(), attributesFor(request));
    actions = newActions(sources, request);
    return spawned(request, actions, attributesFor(request));
  } finally {
    if (actions !== undefined) native().actionsDestroy(actions);
    const close = libc('int close(int fd)');
    for (const fd of moved) close(fd);
  }
}

function spawned(request: SpawnRequest, actions: Buffer, attributes: Buffer): number {
  const { env } = request;
  const envp =
    'added' in env
      ? (ownEnvironmentWith(env.added) ?? nativeEnvironment(copiedEnvironment(env.added)))
      : nativeEnvironment(env);
  const pid = [0];
  const number = native().spawn(pid, request.path, actions, attributes, [...request.argv, null], envp.pointers);
  // Held until here: the pointers are to its strings.
  if (envp.strings.length === 0 || number !== 0)
    throw systemError('posix_spawn', { path: request.path, errno: number });
  return pid[0]!;
}

function copiedEnvironment(pair: string | undefined): string[] {
  const pairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  if (pair === undefined) return pairs;
  const name = pair.slice(0, pair.indexOf('=') + 1);
  return [...pairs.filter((each) => !each.startsWith(name)), pair];
}

// Few combinations are ever used; each is made once.
const attributeSets = new Map<string, Buffer>();

function attributesFor(request: SpawnRequest): Buffer {
  const { newSession, processGroup, defaultSignals } = request;
  const key = `${newSession === true} ${processGroup} ${defaultSignals.join()}`;
  let attributes = attributeSets.get(key);
  if (attributes === undefined) {
    attributes = Buffer.alloc(512);
    native().attrInit(attributes);
    setAttributes(attributes, request);
    if (processGroup === undefined || processGroup === 0) attributeSets.set(key, attributes);
  }
  return attributes;
}

function setAttributes(attributes: Buffer, request: SpawnRequest): void {
  const c = native();
  let flags = SETSIGMASK;
  c.attrMask(attributes, Buffer.alloc(128)); // an empty mask: whatever this thread blocks, the child starts afresh
  if (request.defaultSignals.length > 0) {
    flags |= SETSIGDEF;
    c.attrDefault(attributes, signalSet(request.defaultSignals));
  }
  if (request.newSession) flags |= SETSID;
  if (request.processGroup !== undefined) {
    flags |= SETPGROUP;
    c.attrGroup(attributes, request.processGroup);
  }
  c.attrFlags(attributes, flags);
}

// Nothing but our own three streams: the usual case of a program that is simply run.
function isPlain(sources: readonly FdSource[], { cwd, passFds }: SpawnRequest): boolean {
  return cwd === undefined && passFds === undefined && sources.length === 3 && sources.every((fd, i) => fd === i);
}

let plain: Buffer | undefined;

function plainActions(): Buffer {
  return (plain ??= newActions([0, 1, 2], { cwd: undefined, passFds: undefined }));
}

function newActions(sources: readonly FdSource[], request: Pick<SpawnRequest, 'cwd' | 'passFds'>): Buffer {
  const actions = Buffer.alloc(256);
  const c = native();
  c.actionsInit(actions);
  if (request.cwd !== undefined) c.actionsChdir(actions, request.cwd);
  for (const [target, source] of sources.entries()) {
    if (source === 'null') c.actionsOpen(actions, target, '/dev/null', O_RDWR, 0);
    // A dup2 onto itself clears close-on-exec, which Node sets on 0-2 too.
    else c.actionsDup2(actions, source, target);
  }
  const passed = [...(request.passFds ?? [])].sort((a, b) => a - b);
  for (const fd of passed) c.actionsDup2(actions, fd, fd);
  closeOthers(actions, sources.length, passed);
  return actions;
}

// A source below the number of targets would be overwritten by an earlier action; it is moved out of the way. A stdio
// descriptor that libuv made non-blocking would give the child EAGAIN.
function safeSource(source: FdSource, target: number, count: number, moved: number[]): FdSource {
  if (source === 'null') return source;
  const flags = libc('int fcntl(int fd, int cmd, int arg)')(source, F_GETFL, 0);
  if (flags < 0) {
    // A closed stdio descriptor, inherited, stays closed for Python; a null device does no harm and spares surprises.
    if (source === target && target <= 2) return 'null';
    throw systemError('dup2', { fd: source, errno: EBADF });
  }
  if ((flags & O_NONBLOCK) !== 0) setBlocking(source, true);
  if (source === target || source >= count) return source;
  const copy = duplicate(source, Math.max(count, 10));
  moved.push(copy);
  return copy;
}

function isOpen(fd: number): boolean {
  return libc('int fcntl(int fd, int cmd, int arg)')(fd, 1, 0) >= 0;
}

// Descriptors opened without close-on-exec, by native code or by name, must not leak: a pipe held by a stranger never ends.
function closeOthers(actions: Buffer, first: number, kept: readonly number[]): void {
  const c = native();
  let from = first;
  for (const fd of kept) {
    for (; from < fd; from++) if (isOpen(from)) c.actionsClose(actions, from);
    from = Math.max(from, fd + 1);
  }
  c.actionsCloseFrom?.(actions, from);
}

function signalSet(signals: readonly number[]): Buffer {
  const set = Buffer.alloc(128);
  for (const signal of signals) set[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7);
  return set;
}

interface Native {
  readonly spawn: NativeFunction;
  readonly actionsInit: NativeFunction;
  readonly actionsDestroy: NativeFunction;
  readonly actionsDup2: NativeFunction;
  readonly actionsOpen: NativeFunction;
  readonly actionsClose: NativeFunction;
  readonly actionsCloseFrom: NativeFunction | undefined;
  readonly actionsChdir: NativeFunction;
  readonly attrInit: NativeFunction;
  readonly attrFlags: NativeFunction;
  readonly attrMask: NativeFunction;
  readonly attrDefault: NativeFunction;
  readonly attrGroup: NativeFunction;
}

let bound: Native | undefined;

function native(): Native {
  return (bound ??= bind());
}

function bind(): Native {
  const actions = 'int posix_spawn_file_actions_';
  const attr = 'int posix_spawnattr_';
  return {
    spawn: libc('int posix_spawn(_Out_ int *pid, str path, void *actions, void *attr, char **argv, void *envp)'),
    actionsInit: libc(`${actions}init(void *actions)`),
    actionsDestroy: libc(`${actions}destroy(void *actions)`),
    actionsDup2: libc(`${actions}adddup2(void *actions, int from, int to)`),
    actionsOpen: libc(`${actions}addopen(void *actions, int fd, str path, int flags, int mode)`),
    actionsClose: libc(`${actions}addclose(void *actions, int fd)`),
    actionsCloseFrom: optional(`${actions}addclosefrom_np(void *actions, int from)`),
    actionsChdir: libc(`${actions}addchdir_np(void *actions, str path)`),
    attrInit: libc(`${attr}init(void *attr)`),
    attrFlags: libc(`${attr}setflags(void *attr, short flags)`),
    attrMask: libc(`${attr}setsigmask(void *attr, void *set)`),
    attrDefault: libc(`${attr}setsigdefault(void *attr, void *set)`),
    attrGroup: libc(`${attr}setpgroup(void *attr, int group)`),
  };
}

// glibc has it since 2.34; before, close-on-exec alone protects, as for Node's own children.
function optional(prototype: string): NativeFunction | undefined {
  try {
    return libc(prototype);
  } catch {
    return undefined;
  }
}

/** Whether children can be started by posix_spawn and seen to end through a pidfd. */
export function hasPosixSpawn(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    native();
    return true;
  } catch {
    return false;
  }
}
