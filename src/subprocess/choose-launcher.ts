import { UnsupportedError } from '../base/errors.ts';
import { hasPosixSpawn } from '../os/spawn.ts';
import { nodeLauncher } from './launch-node.ts';
import { posixLauncher } from './launch-posix.ts';
import type { Launcher } from './launcher.ts';
import type { StartOptions } from './options.ts';

/** posix_spawn where it can be called, else Node's spawn. */
export function chooseLauncher(wanted: StartOptions['launcher']): Launcher {
  if (wanted === 'node') return nodeLauncher;
  if (hasPosixSpawn()) return posixLauncher;
  if (wanted === 'posix') throw new UnsupportedError('posix_spawn needs Linux with glibc and the package "koffi"');
  return nodeLauncher;
}
