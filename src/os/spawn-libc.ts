import { environmentFor } from './environ.ts';
import { kill } from './process-ids.ts';
import { libc, systemError } from './libc.ts';
import type { NativeFunction } from './libc.ts';
import { pidfdOpen } from './pidfd.ts';
import { reap } from './reap.ts';
import { reserveDescriptor } from './reserve.ts';
import type { SpawnPlan, Started } from './spawn-plan.ts';

const SETPGROUP = 0x02;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;

/** Starts a program by posix_spawn(3). Throws SystemError. glibc only. */
export function spawnByLibc(plan: SpawnPlan): Started {
  // Running out of descriptors has to be noticed while there is no program yet.
  const release = reserveDescriptor();
  let pid: number;
  try {
    pid = spawned(plan);
  } finally {
    release();
  }
  return { pid, pidfd: watched(pid) };
}

// Another thread may have taken the descriptor that was set aside.
function watched(pid: number): number {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    kill(pid, 'SIGKILL');
    reap(pid, 0);
    throw error;
  }
}

function spawned(plan: SpawnPlan): number {
  if (isPlain(plan)) return posixSpawn(plan, plainActions());
  const actions = newActions(plan);
  try {
    return posixSpawn(plan, actions);
  } finally {
    native().actionsDestroy(actions);
  }
}

function posixSpawn(plan: SpawnPlan, actions: Buffer): number {
  const envp = environmentFor(plan.env);
  const pid = [0];
  const number = native().spawn(pid, plan.path, actions, attributesFor(plan), [...plan.argv, null], envp.pointers);
  // Held until here: the pointers are to its strings.
  if (envp.memory.length === 0 || number !== 0) throw systemError('posix_spawn', { path: plan.path, errno: number });
  return pid[0]!;
}

// Few combinations are ever used; each is made once.
const attributeSets = new Map<string, Buffer>();

function attributesFor(plan: SpawnPlan): Buffer {
  const { newSession, processGroup, defaultSignals } = plan;
  const key = `${newSession === true} ${processGroup} ${defaultSignals.join()}`;
  let attributes = attributeSets.get(key);
  if (attributes === undefined) {
    attributes = Buffer.alloc(512);
    native().attrInit(attributes);
    setAttributes(attributes, plan);
    if (processGroup === undefined || processGroup === 0) attributeSets.set(key, attributes);
  }
  return attributes;
}

function setAttributes(attributes: Buffer, plan: SpawnPlan): void {
  const c = native();
  let flags = SETSIGMASK;
  c.attrMask(attributes, Buffer.alloc(128)); // an empty mask: whatever this thread blocks, the child starts afresh
  if (plan.defaultSignals.length > 0) {
    flags |= SETSIGDEF;
    c.attrDefault(attributes, signalSet(plan.defaultSignals));
  }
  if (plan.newSession) flags |= SETSID;
  if (plan.processGroup !== undefined) {
    flags |= SETPGROUP;
    c.attrGroup(attributes, plan.processGroup);
  }
  c.attrFlags(attributes, flags);
}

// Nothing but our own three streams: the usual case of a program that is simply run.
function isPlain({ sources, cwd, passFds }: SpawnPlan): boolean {
  return cwd === undefined && passFds.length === 0 && sources.length === 3 && sources.every((fd, i) => fd === i);
}

let plain: Buffer | undefined;

function plainActions(): Buffer {
  return (plain ??= newActions({ sources: [0, 1, 2], cwd: undefined, passFds: [] }));
}

function newActions({ sources, cwd, passFds }: Pick<SpawnPlan, 'sources' | 'cwd' | 'passFds'>): Buffer {
  const actions = Buffer.alloc(256);
  const c = native();
  c.actionsInit(actions);
  if (cwd !== undefined) c.actionsChdir(actions, cwd);
  for (const [target, source] of sources.entries()) {
    // A dup2 onto itself clears close-on-exec, which Node sets on 0-2 too.
    c.actionsDup2(actions, source, target);
  }
  for (const fd of passFds) c.actionsDup2(actions, fd, fd);
  closeOthers(actions, sources.length, passFds);
  return actions;
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
