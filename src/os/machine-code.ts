import { checked, koffi, libc } from './libc.ts';

const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Instructions in memory of the process, with zeroed data behind them that they may write to. */
export interface MachineCode {
  readonly address: number;
  readonly data: Buffer;
}

/**
 * Maps instructions, given as hexadecimal digits, in `codeBytes` (whole pages) that can be executed and not written, followed by
 * `dataBytes` of data. Never unmapped: for what has to happen where no JavaScript can run. Throws SystemError where no memory
 * may be made executable (SELinux's execmem). mmap(2), mprotect(2).
 */
export function mapMachineCode(digits: string, codeBytes: number, dataBytes = 0): MachineCode {
  const mmap = libc('intptr_t mmap(uintptr_t at, size_t size, int protection, int flags, int fd, int64_t offset)');
  const protect = libc('int mprotect(uintptr_t address, size_t length, int protection)');
  const size = codeBytes + dataBytes;
  const address = checked(mmap(0, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0), 'mmap');
  const memory = Buffer.from(koffi().view(BigInt(address), size));
  memory.set(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
  checked(protect(address, codeBytes, PROT_READ_EXEC), 'mprotect');
  return { address, data: memory.subarray(codeBytes) };
}
