import { close } from './descriptor.ts';
import { checked, libc } from './libc.ts';

const EFD_CLOEXEC = 0o2000000;

/** Holds one descriptor so that the next to be opened cannot fail for want of one (EMFILE); returns what frees it. Linux. */
export function reserveDescriptor(): () => void {
  const fd = checked(libc('int eventfd(unsigned int value, int flags)')(0, EFD_CLOEXEC), 'eventfd');
  return () => close(fd);
}
