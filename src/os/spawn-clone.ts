import { constants } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { environmentFor } from './environ.ts';
import { koffi, libc, systemError } from './libc.ts';
import { mapMachineCode } from './machine-code.ts';
import { nativeStrings } from './native-strings.ts';
import { reap } from './reap.ts';
import type { SpawnPlan, Started } from './spawn-plan.ts';

const CLONE_VM = 0x100n;
const CLONE_PIDFD = 0x1000n;
const CLONE_VFORK = 0x4000n;
const CLONE_CLEAR_SIGHAND = 0x1_0000_0000n;
const cloneArgsBytes = 88;
const { EINVAL, ENOSYS, EPERM, SIGCHLD } = { ...constants.errno, ...constants.signals };

let available = process.platform === 'linux' && process.arch === 'x64';

/** Whether programs are started so, as far as has been seen. */
export function hasCloneSpawn(): boolean {
  return available;
}

/**
 * Starts a program by clone3(2): as vfork, but with the handlers of signals gone before the child runs, and with the pidfd
 * from the same call. What the child does until it is the other program is a list of system calls, made by a few bytes of
 * machine code without a stack: nothing of libc or V8, whose memory it shares. posix_spawn does that too, with 128 calls of
 * sigaction(2) more. `undefined` where there is no such clone. Throws SystemError.
 */
export function spawnByClone(plan: SpawnPlan): Started | undefined {
  if (!available) return undefined;
  const started = cloned(plan);
  if (started === undefined) available = false;
  return started;
}

function cloned(plan: SpawnPlan): Started | undefined {
  try {
    arena ??= newArena();
  } catch {
    return undefined; // no memory may be made executable here (SELinux's execmem)
  }
  const { words, bytes } = arena;
  const count = new CallList(arena, plan).length;
  const pid = arena.clone();
  if (pid === -ENOSYS || pid === -EPERM || pid === -EINVAL) return undefined;
  if (pid < 0) throw systemError('posix_spawn', { path: plan.path, errno: -pid });
  const pidfd = bytes.getInt32(pidfdAt, true);
  const failed = failedCall(words, count);
  if (failed === undefined) return { pid, pidfd };
  libc('int close(int fd)')(pidfd);
  reap(pid, 0);
  const [number, index] = failed;
  const isExec = index === count - 1;
  if (number === ENOSYS && !isExec) return undefined;
  // The child has written over the number of the call: the list is made again to see it. Some sandboxes forbid this one.
  if (number === EPERM && new CallList(arena, plan).callAt(index) === close_range) return undefined;
  throw systemError('posix_spawn', { path: plan.path, errno: number });
}

// The child writes the error over the number of the call.
function failedCall(words: BigInt64Array, count: number): [errno: number, index: number] | undefined {
  for (let i = 0; i < count; i++) {
    const number = words[listAt / 8 + i * wordsPerCall]!;
    if (number < 0n) return [Number(-number), i];
  }
  return undefined;
}

// Linux x64, arch/x86/entry/syscalls/syscall_64.tbl.
const rt_sigaction = 13n;
const rt_sigprocmask = 14n;
const execve = 59n;
const fcntl = 72n;
const chdir = 80n;
const setpgid = 109n;
const setsid = 112n;
const dup3 = 292n;
const close_range = 436n;

const SIG_SETMASK = 2n;
const F_SETFD = 2n;
const sigsetBytes = 8n;
const lastDescriptor = 0xffffffffn;

/** What the child does, in order. */
class CallList {
  length = 0;
  readonly #words: BigInt64Array;

  constructor(arena: Arena, plan: SpawnPlan) {
    this.#words = arena.words;
    const strings = nativeStrings([plan.path, plan.cwd ?? '', ...plan.argv]);
    const envp = environmentFor(plan.env);
    const [path, cwd, argv] = [strings.pointers[0]!, strings.pointers[1]!, strings.pointers.subarray(2)];
    arena.held = [strings, envp];
    const zeros = arena.address + BigInt(zerosAt);
    for (const signal of plan.defaultSignals) this.#add(rt_sigaction, BigInt(signal), zeros, 0n, sigsetBytes);
    if (plan.newSession) this.#add(setsid);
    if (plan.processGroup !== undefined) this.#add(setpgid, 0n, BigInt(plan.processGroup));
    if (plan.cwd !== undefined) this.#add(chdir, cwd);
    for (const [target, source] of plan.sources.entries()) this.#place(source, target);
    this.#keepOnly(plan.sources.length, plan.passFds);
    // Whatever this thread blocks, the child starts afresh.
    this.#add(rt_sigprocmask, SIG_SETMASK, zeros, 0n, sigsetBytes);
    this.#add(execve, path, koffi().address(argv), koffi().address(envp.pointers));
  }

  callAt(index: number): bigint {
    return this.#words[listAt / 8 + index * wordsPerCall]!;
  }

  #place(source: number, target: number): void {
    // Node sets close-on-exec on 0-2 too.
    if (source === target) this.#add(fcntl, BigInt(source), F_SETFD, 0n);
    else this.#add(dup3, BigInt(source), BigInt(target), 0n);
  }

  // Descriptors opened without close-on-exec, by native code or by name, must not leak: a pipe held by a stranger never ends.
  #keepOnly(first: number, kept: readonly number[]): void {
    let from = first;
    for (const fd of kept) {
      this.#add(fcntl, BigInt(fd), F_SETFD, 0n);
      if (from < fd) this.#add(close_range, BigInt(from), BigInt(fd - 1), 0n);
      from = Math.max(from, fd + 1);
    }
    this.#add(close_range, BigInt(from), lastDescriptor, 0n);
  }

  #add(number: bigint, a = 0n, b = 0n, c = 0n, d = 0n): void {
    const at = listAt / 8 + this.length++ * wordsPerCall;
    const words = this.#words;
    words[at] = number;
    words[at + 1] = a;
    words[at + 2] = b;
    words[at + 3] = c;
    words[at + 4] = d;
  }
}

interface Arena {
  /** What the list of the last start points to. */
  held: unknown;
  readonly address: bigint;
  readonly words: BigInt64Array;
  readonly bytes: DataView;
  clone(): number;
}

const pidfdAt = 96;
const zerosAt = 128;
const listAt = 256;
const wordsPerCall = 5;
const arenaBytes = 65_536;

let arena: Arena | undefined;

function newArena(): Arena {
  const memory = new ArrayBuffer(arenaBytes);
  const words = new BigInt64Array(memory);
  const address = koffi().address(memory);
  words[0] = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  words[1] = address + BigInt(pidfdAt);
  words[4] = BigInt(SIGCHLD);
  const prototype = koffi().proto('int', ['uintptr_t', 'size_t', 'uintptr_t']);
  const [code, args] = [BigInt(codePage()), Number(address)];
  return {
    held: undefined,
    address,
    words,
    bytes: new DataView(memory),
    clone: () => koffi().call(code, prototype, args, cloneArgsBytes, args + listAt) as number,
  };
}

const pageBytes = 4096;
const codePageKey = 'simul.os.spawn-clone';

// One page for the thread and those it starts from then on; it is never unmapped, since they may still be at it.
function codePage(): number {
  const known = getEnvironmentData(codePageKey);
  if (typeof known === 'number') return known;
  const { address } = mapMachineCode(machineCode, pageBytes);
  setEnvironmentData(codePageKey, address);
  return address;
}

/** How many calls there is room for. */
export const mostCalls = Math.floor((arenaBytes - listAt) / (wordsPerCall * 8));

// pid = clone3(args, size); in the child: for (;; list += 5) if ((list[0] = call(list[0], …list[1..4])) < 0) _exit(127);
const machineCode =
  '4989d0 b8b3010000 0f05' + // mov r8, rdx (the list); mov eax, 435 (clone3); syscall
  '4885c0 7401 c3' + // test rax, rax; jz child; ret
  '4c89c3' + // child: mov rbx, r8
  '488b03 488b7b08 488b7310 488b5318 4c8b5320' + // next: mov rax, [rbx]; mov rdi, rsi, rdx, r10 from [rbx + 8 …]
  '0f05 4885c0 7806' + // syscall; test rax, rax; js failed
  '4883c328 ebe0' + // add rbx, 40; jmp next
  '488903 bf7f000000 b83c000000 0f05'; // failed: mov [rbx], rax; mov edi, 127; mov eax, 60 (exit); syscall
