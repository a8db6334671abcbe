import { checked, libc } from './libc.ts';

// poll(2)'s flags, which are not libuv's: the first bit alone is the same.
const flags: readonly (readonly [uv: number, poll: number])[] = [
  [1, 0x001],
  [2, 0x004],
  [4, process.platform === 'linux' ? 0x2000 : 0x010],
  [8, 0x002],
];
const failed = 0x008 | 0x010 | 0x020; // POLLERR, POLLHUP, POLLNVAL: the read or write that follows has the error

/** What a descriptor is ready for at this very moment, in the flags of `poll`; 0 for nothing. poll(2) */
export function pollNow(fd: number, events: number): number {
  const wanted = flags.reduce((sum, [uv, own]) => (events & uv ? sum | own : sum), 0);
  const entry = new Int16Array(4); // int fd; short events; short revents
  new Int32Array(entry.buffer)[0] = fd;
  entry[2] = wanted;
  checked(libc('int poll(void *fds, unsigned long count, int timeout)')(entry, 1, 0), 'poll', { fd });
  const found = entry[3]!;
  if (found & failed) return events;
  return flags.reduce((sum, [uv, own]) => (found & own ? sum | uv : sum), 0);
}
