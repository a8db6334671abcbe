import { registerAtFork } from '../os/at-fork.ts';
import { koffi, libc } from '../os/libc.ts';

const SYS_get_robust_list = process.arch === 'arm64' ? 100 : 274;

/** A robust word in mapped memory: its address, and where its list entry lies in the same view. */
export interface RobustWord {
  readonly address: number;
  /** The list entry, 32 bytes behind the word. */
  readonly entry: Float64Array;
  /** The address of the entry, as `pointer` has it. */
  readonly pointer: number;
  isHeld(): boolean;
  linked: boolean;
}

/** This thread's part of the kernel's promise to mark words `OWNER_DIED` whose owner dies (get_robust_list(2)). */
export interface Robust {
  /** Before the word is taken or released, and while it is waited for. */
  protect(word: RobustWord): void;
}

/** The thread's number as the kernel writes and compares it. */
export function gettid(): number {
  return (tid ??= libc('int gettid()')());
}

/**
 * The list has one pending slot, meant for the moments around taking and releasing. The last word used is left in it,
 * held or not: the kernel marks it only if this thread owns it, and if it is free it wakes another waiter, which also covers
 * a waiter killed after having been woken. So a lone lock costs no list operation at all; a second one held at the same
 * time moves the first into the list proper. (glibc uses the same slot for its own robust mutexes; node has none.)
 */
export const robustList: Robust = {
  protect(word) {
    if (pending === word) return;
    const head = (list ??= open());
    if (pending !== undefined && pending.isHeld()) link(head, pending);
    setPending(head, word);
    if (word.linked) unlink(head, word);
  },
};

/** Eight bytes of an address, read as a double: a pointer is written by one store, of which a kill leaves no half. */
export function pointerBits(address: number): number {
  bits[0] = address % 0x100000000;
  bits[1] = Math.floor(address / 0x100000000);
  return asDouble[0]!;
}

const bits = new Uint32Array(2);
const asDouble = new Float64Array(bits.buffer);

interface Head {
  readonly pointer: number;
  /** First entry, futex_offset, list_op_pending. */
  readonly fields: Float64Array;
}

let tid: number | undefined;
let list: Head | undefined;
let pending: RobustWord | undefined;
let linked: RobustWord[] = [];

function open(): Head {
  const head = [0n];
  const size = [0n];
  const call = koffi()
    .load('libc.so.6')
    .func('long syscall(long n, int pid, _Out_ uint64_t *head, _Out_ uint64_t *size)');
  call(SYS_get_robust_list, 0, head, size);
  const address = Number(head[0]);
  return { pointer: pointerBits(address), fields: new Float64Array(koffi().view(BigInt(address), 24)) };
}

function setPending({ fields }: Head, word: RobustWord): void {
  fields[2] = word.pointer;
  pending = word;
}

// The kernel walks from the head until it meets the head again; who is before whom only this thread needs to know.
function link(head: Head, word: RobustWord): void {
  if (word.linked) return;
  word.entry[0] = linked.at(-1)?.pointer ?? head.pointer;
  head.fields[0] = word.pointer;
  linked.push(word);
  word.linked = true;
}

function unlink(head: Head, word: RobustWord): void {
  const index = linked.indexOf(word);
  const after = linked[index - 1]?.pointer ?? head.pointer;
  const before = linked[index + 1];
  if (before === undefined) head.fields[0] = after;
  else before.entry[0] = after;
  linked.splice(index, 1);
  word.linked = false;
}

registerAtFork({
  afterInChild: () => {
    // The parent's locks are not the child's, and libc has emptied the list.
    tid = undefined;
    pending = undefined;
    for (const word of linked) word.linked = false;
    linked = [];
  },
});
