import { readdirSync, readlinkSync } from 'node:fs';

/** How many descriptors this process has, files apart: those the test runner opens when it likes. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => !targetOf(fd).startsWith('/')).length;
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '/'; // that of the listing itself
  }
}
