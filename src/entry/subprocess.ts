export { DEVNULL, PIPE, STDOUT } from '../subprocess/options.ts';
export type { DescriptorStream, StartOptions, Stdio } from '../subprocess/options.ts';
export type { ExecAttributes, ResourceLimit } from '../subprocess/exec-wrapper.ts';
export { Popen } from '../subprocess/popen.ts';
export type { CommunicateOptions, Output, PopenOptions } from '../subprocess/popen.ts';
export { call, checkCall, checkOutput, CompletedProcess, getoutput, getstatusoutput, run } from '../subprocess/run.ts';
export type { RunOptions, RunRequest } from '../subprocess/run.ts';
export {
  callSync,
  checkCallSync,
  checkOutputSync,
  getoutputSync,
  getstatusoutputSync,
  runSync,
} from '../subprocess/sync.ts';
export type { RunSyncOptions } from '../subprocess/sync.ts';
export { CompletedPipeline, Pipeline, runPipeline } from '../subprocess/pipeline.ts';
export type { PipelineOptions, RunPipelineOptions, Stage } from '../subprocess/pipeline.ts';
export { lines } from '../subprocess/lines.ts';
export type { LineOptions } from '../subprocess/lines.ts';
export type { Captured } from '../subprocess/errors.ts';
export { CalledProcessError, TimeoutExpired } from '../subprocess/errors.ts';
export type { Input } from '../subprocess/feed.ts';
export type { KilledTree } from '../subprocess/tree.ts';
export type { TextOptions } from '../subprocess/text.ts';
