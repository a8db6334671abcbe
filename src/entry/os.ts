export { registerAtFork } from '../os/at-fork.ts';
export type { AtForkHooks } from '../os/at-fork.ts';
export {
  close,
  dup,
  dup2,
  getBlocking,
  getInheritable,
  O_CLOEXEC,
  O_NONBLOCK,
  pipe,
  pipe2,
  read,
  setBlocking,
  setInheritable,
  write,
} from '../os/descriptor.ts';
export { fdopen } from '../os/fdopen.ts';
export type { FdopenOptions } from '../os/fdopen.ts';
export { mkfifo, openFifo, PIPE_BUF } from '../os/fifo.ts';
export type { FifoReaderOptions, FifoWriterOptions } from '../os/fifo.ts';
export { flock, flockSync, LOCK_EX, LOCK_SH, LOCK_UN, tryFlock } from '../os/flock.ts';
export { exitNow as _exit, fork, forkFlags, whyNoFork } from '../os/fork.ts';
export { memfd, MFD_ALLOW_SEALING, MFD_CLOEXEC } from '../os/memfd.ts';
export { pidfdOpen, pidfdSendSignal, processExit } from '../os/pidfd.ts';
export { Poll, poll, POLLHUP, POLLIN, POLLOUT, POLLPRI } from '../os/poll.ts';
export { getpgid, getpid, getppid, getsid, kill, killpg, setpgid, setsid } from '../os/process-ids.ts';
export { getrlimit, setrlimit } from '../os/rlimit.ts';
export type { Resource } from '../os/rlimit.ts';
export { cpuCount, getNice, nice, schedGetaffinity, schedSetaffinity } from '../os/scheduling.ts';
export { wait, waitpid, waitpidSync, waitSync, WCONTINUED, WNOHANG, WUNTRACED } from '../os/wait.ts';
export type { WaitResult } from '../os/wait.ts';
export {
  waitstatusToExitcode,
  WCOREDUMP,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
} from '../os/wait-status.ts';
