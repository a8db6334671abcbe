import { startForked } from './forked-process.ts';
import { HostedProcess } from './hosted-process.ts';
import type { ProcessLink, ProcessTask } from './process-link.ts';
import type { StartMethod } from './start-method.ts';
import { refuseUnsupported } from './start-method.ts';

/** Starts a process that runs one function and ends. Throws UnsupportedError where the method cannot work. */
export function startProcess(method: StartMethod, task: ProcessTask, options: { daemon: boolean }): ProcessLink {
  refuseUnsupported(method);
  return method === 'fork' ? startForked(task, options) : new HostedProcess(method, task, options);
}
