import { provideExecutor } from '../asyncio/executor.ts';
import { DefaultExecutor } from '../futures/default-executor.ts';
import { provideDefaultContext, readerOf } from '../socket/streams/connection.ts';
import { StreamReader } from '../socket/streams/reader.ts';
import { StreamWriter } from '../socket/streams/writer.ts';
import type { StreamFaces, SubprocessOptions, SubprocessProcess } from '../subprocess/asyncio.ts';
import { createSubprocessExec as startProgram, createSubprocessShell as startShell } from '../subprocess/asyncio.ts';

export { asCompleted } from '../asyncio/as-completed.ts';
export type { AsCompletedOptions } from '../asyncio/as-completed.ts';
export type { Awaitable, Outcome } from '../asyncio/awaitable.ts';
export { Barrier, BrokenBarrierError } from '../asyncio/barrier.ts';
export { Condition } from '../asyncio/condition.ts';
export { Context, ContextVar, copyContext, Token } from '../asyncio/context.ts';
export { DeadlockError } from '../asyncio/deadlock.ts';
export { addDumpSection, dumpOnSignal, formatDump, printTaskTree } from '../asyncio/dump.ts';
export { Event } from '../asyncio/event.ts';
export type { Executor } from '../asyncio/executor.ts';
export { Future } from '../asyncio/future.ts';
export { gather } from '../asyncio/gather.ts';
export type { GatherOptions } from '../asyncio/gather.ts';
export { TaskGroupError } from '../asyncio/group-error.ts';
export { Guard } from '../asyncio/guard.ts';
export { Handle, TimerHandle } from '../asyncio/handle.ts';
export { Lock } from '../asyncio/lock.ts';
export { EventLoop, getRunningLoop, toThread } from '../asyncio/loop.ts';
export type { ExceptionHandler } from '../asyncio/loop.ts';
export { LifoQueue, PriorityQueue, Queue, QueueShutDown } from '../asyncio/queue.ts';
export type { Report } from '../asyncio/report.ts';
export { run, Runner } from '../asyncio/run.ts';
export type { RunOptions } from '../asyncio/run.ts';
export { BoundedSemaphore, Semaphore } from '../asyncio/semaphore.ts';
export { shield } from '../asyncio/shield.ts';
export { sleep } from '../asyncio/sleep.ts';
export { allTasks, createTask, currentTask, Task } from '../asyncio/task.ts';
export type { TaskOptions } from '../asyncio/task.ts';
export { TaskGroup } from '../asyncio/task-group.ts';
export { timeout, timeoutAt } from '../asyncio/timeout.ts';
export type { Timeout, TimeoutBody } from '../asyncio/timeout.ts';
export { formatTaskTree } from '../asyncio/tree.ts';
export { waitFor } from '../asyncio/wait-for.ts';
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from '../asyncio/wait-many.ts';
export type { ReturnWhen, WaitManyOptions } from '../asyncio/wait-many.ts';
export type { WaitOptions } from '../base/deadline.ts';
export {
  CancelledError,
  EmptyError,
  FullError,
  InvalidArgumentError,
  InvalidStateError,
  TimeoutError,
} from '../base/errors.ts';
export { openConnection, openUnixConnection } from '../socket/streams/connection.ts';
export type { SecureOptions, SecurityContext } from '../socket/security.ts';
export type { ConnectOptions, StreamOptions, Streams } from '../socket/streams/connection.ts';
export { IncompleteReadError, LimitOverrunError } from '../socket/streams/errors.ts';
export { Server, startServer, startUnixServer } from '../socket/streams/server.ts';
export type { ClientConnected, ServerOptions, TcpServerOptions } from '../socket/streams/server.ts';

provideExecutor(() => new DefaultExecutor());

export { provideExecutor, StreamReader, StreamWriter };
export type { SubprocessOptions };

provideDefaultContext(async () => (await import('../ssl/default-context.ts')).createDefaultContext());

const faces: StreamFaces<StreamReader, StreamWriter> = {
  reader: (stream) => readerOf(stream),
  writer: (stream) => new StreamWriter(stream),
};

/** A program started for asyncio: its pipes are streams of this module. (asyncio.subprocess.Process) */
export type Process = SubprocessProcess<StreamReader, StreamWriter>;

/**
 * Starts a program; its pipes, where PIPE of `simul/subprocess` is asked for, are StreamReader and StreamWriter.
 * Throws SystemError. (asyncio.create_subprocess_exec)
 *
 * @example
 * const child = await createSubprocessExec(['date'], { stdout: PIPE });
 * console.log(`${await child.stdout!.readline()}`);
 */
export function createSubprocessExec(args: readonly string[], options: SubprocessOptions = {}): Promise<Process> {
  return startProgram(args, options, faces);
}

/** As `createSubprocessExec`, for a shell command; never one with text from outside. (asyncio.create_subprocess_shell) */
export function createSubprocessShell(command: string, options: SubprocessOptions = {}): Promise<Process> {
  return startShell(command, options, faces);
}
