import { inspect } from 'node:util';

/** What the loop's exception handler is given; the fields are those of asyncio's context. */
export interface Report {
  readonly message: string;
  readonly exception?: unknown;
  /** The task or future it is about. */
  readonly future?: unknown;
  /** An error that reaches nobody: without a handler it becomes an unhandled rejection. */
  readonly unhandled?: boolean;
}

/** An error nobody took is an unhandled rejection, with all that Node makes of it; the rest is a process warning. */
export function defaultReport(report: Report): void {
  if (report.unhandled === true) void Promise.reject(report.exception);
  else process.emitWarning(describe(report), 'SimulWarning');
}

function describe({ message, exception }: Report): string {
  return exception === undefined ? message : `${message}: ${inspect(exception)}`;
}
