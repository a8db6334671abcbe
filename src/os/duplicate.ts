import { checked, libc } from './libc.ts';

const F_DUPFD_CLOEXEC = process.platform === 'darwin' ? 67 : 1030;

/** A second descriptor for the same open file, closed on exec, numbered `least` or higher. */
export function duplicate(fd: number, least = 3): number {
  return checked(libc('int fcntl(int fd, int cmd, int arg)')(fd, F_DUPFD_CLOEXEC, least), 'fcntl', { fd });
}
