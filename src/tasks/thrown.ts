import type { PackedError } from '../callable/packed-error.ts';
import { packError } from '../callable/packed-error.ts';
import { textOf } from '../base/error-text.ts';

/** What can be said of a thrown value, whatever it is: tasks throw strings, proxies, and errors that are their own cause. */
export interface Thrown {
  readonly isError: boolean;
  /** The name of its class. */
  readonly name: string;
  readonly message: string;
  /** Its stack and those of its causes, as far as they go. */
  readonly stack: string;
}

/** Never throws. */
export function describeThrown(thrown: unknown): Thrown {
  try {
    return told(packError(thrown));
  } catch {
    const message = 'the task threw something that cannot be read';
    return { isError: false, name: 'Error', message, stack: message };
  }
}

/** Name and message on one line. */
export function headline({ isError, name, message }: Thrown): string {
  return isError ? `${name}: ${message}` : message;
}

function told(packed: PackedError): Thrown {
  if (packed.kind === 'value') {
    const message = textOf(packed.value);
    return { isError: false, name: 'Error', message, stack: message };
  }
  const { name, message } = packed;
  const own = packed.stack === '' ? `${name}: ${message}` : packed.stack;
  const cause = packed.cause === undefined ? '' : `\ncaused by: ${told(packed.cause).stack}`;
  return { isError: true, name, message, stack: `${own}${cause}` };
}
