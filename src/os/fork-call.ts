import { UnsupportedError } from '../base/errors.ts';
import { endCallback } from './callback-end.ts';
import { koffi, libc } from './libc.ts';
import { mapMachineCode } from './machine-code.ts';
import { currentLoop, uv } from './uv.ts';

const UV_PREPARE = 9;
// Code and data on pages of their own, whatever the size of a page is.
const dataOffset = 65_536;

/**
 * A call of fork(2) that marks all of these ranges, pairs of start and length, MADV_DOFORK right before it. V8 marks each
 * page of its heap MADV_DONTFORK when it maps it, and a page that came between the marking and the fork would be missing
 * in the child, which then crashes or spins at its first look there. JavaScript allocates whenever it likes (a function
 * gets warm, a loop is compiled); so the two are one piece of machine code, between whose instructions nothing of V8 runs.
 *
 * In the child it goes on with what concerns libuv, since each page that JavaScript touches is to be copied first: the
 * loop gets an epoll set of its own; the signals that its parent had caught and not handled are forgotten (their messages
 * are in the parent's pipe; libuv closes no handle before it has seen them all, and the loop would turn for ever:
 * uv__finish_close; newer versions forget them by themselves); and a prepare handle is started that looks, before the
 * loop would sleep, whether anything but itself keeps it alive. The loop must never return to Node: its next step
 * (DrainTasks in SpinEventLoop) waits for helper threads, which a forked child has not.
 *
 * `turn` hears, in the child, of a loop with nothing left to do (`idle`), and of every turn for as long as it returns true.
 */
export function prepareForkCall(ranges: readonly number[], turn: (idle: boolean) => boolean): () => number {
  const code = machineCode[process.arch];
  if (code === undefined) throw new UnsupportedError(`fork() is for x64 and arm64, not for ${process.arch}`);
  const { address: start, data } = mapMachineCode(code, dataOffset, dataOffset);
  const tell = callback(() => {
    try {
      data.writeUInt32LE(Number(turn(data.readUInt32LE(field.alive) === 0)), field.watching);
      endCallback();
    } catch (error) {
      // As in `poll`: it must not cross libuv's frames.
      setImmediate(() => {
        throw error;
      });
    }
  });
  table(ranges, tell).forEach((value, i) => data.writeBigUInt64LE(value, i * 8));
  const prototype = koffi().proto('int', []);
  const address = BigInt(start);
  const call = koffi().call;
  return () => call(address, prototype) as number;
}

// What is written to later on, among the fields below.
const field = { watching: 80, alive: 84 };

// Ends with a zero: memory that is mapped anew is zero.
function table(ranges: readonly number[], tell: bigint): bigint[] {
  const loop = BigInt(currentLoop());
  const handle = prepareHandle();
  return [
    symbol('fork'), // 0
    symbol('uv_loop_fork'), // 8
    loop, // 16
    symbol('uv_walk'), // 24
    symbol('uv_prepare_start'), // 32
    handle, // 40
    symbol('uv_unref'), // 48
    symbol('uv_ref'), // 56
    symbol('uv_loop_alive'), // 64
    tell, // 72
    0n, // 80 and 84: whether every turn is told, and whether anything was alive
    ...ranges.map(BigInt), // 88
  ];
}

function prepareHandle(): bigint {
  const handle = libc('uintptr_t calloc(size_t n, size_t size)')(1, uv('size_t uv_handle_size(int type)')(UV_PREPARE));
  uv('int uv_prepare_init(uintptr_t loop, uintptr_t handle)')(currentLoop(), handle);
  return BigInt(handle);
}

function callback(fn: () => void): bigint {
  const ffi = koffi();
  return ffi.address(ffi.register(fn, ffi.pointer(ffi.proto('void', ['uintptr_t']))));
}

function symbol(name: string): bigint {
  const address = libc('uintptr_t dlsym(uintptr_t library, str name)')(0, name);
  if (address === 0) throw new UnsupportedError(`fork() needs ${name}, which this node does not export`);
  return BigInt(address);
}

// rbx or x19 is the data. Types and fields of handles are part of libuv's ABI since 1.0: uv_handle_t.type at 16 (16 is UV_SIGNAL), uv_signal_t.caught_signals at 144 and dispatched_signals at 148.
const machineCode: Partial<Record<string, string>> = {
  x64:
    '53 4154 4883ec08 488d1df2ff0000 4c8d6358' + // fork: push rbx, r12; sub rsp, 8; lea rbx, data; lea r12, [rbx + 88]
    '498b3c24 4885ff 7417' + // next: mov rdi, [r12]; test rdi, rdi; jz done
    '498b742408 ba0b000000 b81c000000 0f05' + // mov rsi, [r12 + 8]; mov edx, 11; mov eax, 28 (madvise); syscall
    '4983c410 ebe0' + // add r12, 16; jmp next
    'ff13 85c0 7527' + // done: call [rbx]; test eax, eax; jnz out
    '488b7b10 ff5308' + // uv_loop_fork(loop)
    '488b7b10 488d351d000000 31d2 ff5318' + // uv_walk(loop, visit, 0)
    '488b7b28 488d3520000000 ff5320 31c0' + // uv_prepare_start(handle, turn); xor eax, eax
    '4883c408 415c 5b c3' + // out: add rsp, 8; pop r12, rbx; ret
    '837f1010 750c 8b8790000000 898794000000 c3' + // visit: if (type == 16) dispatched = caught
    '53 4154 4155 488d1d7aff0000 4989fc' + // turn: push rbx, r12, r13; lea rbx, data; mov r12, rdi
    'ff5330 488b7b10 ff5340 4189c5' + // uv_unref(handle); mov r13d, uv_loop_alive(loop)
    '4c89e7 ff5338' + // uv_ref(handle)
    '4585ed 7406 837b5000 740a' + // if (r13d && !watching) out
    '44896b54 4c89e7 ff5348' + // alive = r13d; tell(handle)
    '415d 415c 5b c3', // out: pop r13, r12, rbx; ret
  arm64:
    'fd7bbea9 f35301a9 d3ff0710 74620191' + // fork: stp x29, x30; stp x19, x20; adr x19, data; add x20, x19, 88
    '800240f9 e00000b4' + // next: ldr x0, [x20]; cbz x0, done
    '810640f9 620180d2 281d80d2 010000d4' + // ldr x1, [x20, 8]; mov x2, 11; mov x8, 233 (madvise); svc 0
    '94420091 f9ffff17' + // add x20, x20, 16; b next
    '610240f9 20003fd6 c0010035' + // done: ldr x1, [x19]; blr x1; cbnz w0, out
    '600a40f9 610640f9 20003fd6' + // uv_loop_fork(loop)
    '600a40f9 81010010 020080d2 630e40f9 60003fd6' + // uv_walk(loop, visit, 0)
    '601640f9 a1010010 621240f9 40003fd6 00008052' + // uv_prepare_start(handle, turn); mov w0, 0
    'f35341a9 fd7bc2a8 c0035fd6' + // out: ldp x19, x20; ldp x29, x30; ret
    '021040b9 5f400071 61000054 039040b9 039400b9 c0035fd6' + // visit: if (type == 16) dispatched = caught
    'fd7bbda9 f35301a9 f51300f9 13fb0710 f40300aa' + // turn: stp, stp, str x21; adr x19, data; mov x20, x0
    '611a40f9 20003fd6 600a40f9 612240f9 20003fd6 f503002a' + // uv_unref(handle); mov w21, uv_loop_alive(loop)
    'e00314aa 611e40f9 20003fd6' + // uv_ref(handle)
    '75000034 615240b9 a1000034' + // if (w21 && !watching) out
    '755600b9 e00314aa 612640f9 20003fd6' + // alive = w21; tell(handle)
    'f51340f9 f35341a9 fd7bc3a8 c0035fd6', // out: ldr x21; ldp x19, x20; ldp x29, x30; ret
};
