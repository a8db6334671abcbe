import { UnsupportedError } from '../base/errors.ts';
import { checked, koffi, libc } from './libc.ts';

const pageBytes = 4096;
const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/**
 * A call of fork(2) that marks all of these ranges, pairs of start and length, MADV_DOFORK right before it. V8 marks each
 * page of its heap MADV_DONTFORK when it maps it, and a page that came between the marking and the fork would be missing
 * in the child, which then crashes or spins at its first look there. JavaScript allocates whenever it likes (a function
 * gets warm, a loop is compiled); so the two are one piece of machine code, between whose instructions nothing of V8 runs.
 */
export function prepareForkCall(ranges: readonly number[]): () => number {
  const code = machineCode[process.arch];
  if (code === undefined) throw new UnsupportedError(`fork() is for x64 and arm64, not for ${process.arch}`);
  const page = map();
  const bytes = Buffer.from(koffi().view(BigInt(page), pageBytes * 2));
  bytes.set(Buffer.from(code.replaceAll(' ', ''), 'hex'));
  // The table begins on the second page, and ends with a zero.
  ranges.forEach((value, i) => bytes.writeBigUInt64LE(BigInt(value), pageBytes + i * 8));
  const protect = libc('int mprotect(uintptr_t address, size_t length, int protection)');
  checked(protect(page, pageBytes, PROT_READ_EXEC), 'mprotect');
  const fork = libc('uintptr_t dlsym(uintptr_t library, str name)')(0, 'fork');
  const prototype = koffi().proto('int', ['uintptr_t', 'uintptr_t']);
  const [start, table] = [BigInt(page), page + pageBytes];
  return () => koffi().call(start, prototype, table, fork) as number;
}

function map(): number {
  const mmap = libc('uintptr_t mmap(uintptr_t at, size_t size, int protection, int flags, int fd, int64_t offset)');
  return mmap(0, pageBytes * 2, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
}

// for (; table[0] !== 0; table += 2) madvise(table[0], table[1], MADV_DOFORK); return fork();
const machineCode: Partial<Record<string, string>> = {
  x64:
    '53 4154 4155' + // push rbx, r12, r13
    '4889fb 4989f4' + // mov rbx, rdi (the table); mov r12, rsi (fork)
    '488b3b 4885ff 7416' + // next: mov rdi, [rbx]; test rdi, rdi; jz done
    '488b7308 ba0b000000 b81c000000 0f05' + // mov rsi, [rbx + 8]; mov edx, 11; mov eax, 28 (madvise); syscall
    '4883c310 ebe2' + // add rbx, 16; jmp next
    '41ffd4 415d 415c 5b c3', // done: call r12; pop r13, r12, rbx; ret
  arm64:
    'fd7bbea9 f35301a9 f30300aa f40301aa' + // stp x29, x30; stp x19, x20; mov x19, x0 (the table); mov x20, x1 (fork)
    '600240f9 e00000b4' + // next: ldr x0, [x19]; cbz x0, done
    '610640f9 620180d2 281d80d2 010000d4' + // ldr x1, [x19, 8]; mov x2, 11; mov x8, 233 (madvise); svc 0
    '73420091 f9ffff17' + // add x19, x19, 16; b next
    '80023fd6 f35341a9 fd7bc2a8 c0035fd6', // done: blr x20; ldp x19, x20; ldp x29, x30; ret
};
