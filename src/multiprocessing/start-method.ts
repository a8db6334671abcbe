import { InvalidArgumentError, UnsupportedError } from '../base/errors.ts';
import { whyNoFork } from '../os/fork.ts';
import { hasLibc } from '../os/libc.ts';

/** How processes are made. */
export type StartMethod = 'spawn' | 'forkserver' | 'fork';

const methods: readonly StartMethod[] = ['spawn', 'forkserver', 'fork'];
let method: StartMethod = 'spawn';

/**
 * The start method of processes that name none. (multiprocessing.get_start_method)
 *
 * @example
 * getStartMethod(); // spawn
 */
export function getStartMethod(): StartMethod {
  return method;
}

/**
 * Sets it. `spawn`: a new Node, everywhere. `forkserver`: forked from a template that has imported modules already, Linux.
 * `fork`: a copy of this process, which must have been started by `simul run`; the target may be a closure.
 * InvalidArgumentError; UnsupportedError where it cannot work. (multiprocessing.set_start_method)
 *
 * @example
 * setStartMethod('forkserver');
 */
export function setStartMethod(next: StartMethod): void {
  checkStartMethod(next);
  method = next;
}

/** @internal */
export function checkStartMethod(wanted: StartMethod, argument = 'method'): void {
  if (!methods.includes(wanted)) throw new InvalidArgumentError(argument, wanted, methods.join(', '));
  refuseUnsupported(wanted);
}

/**
 * Those that work here. (multiprocessing.get_all_start_methods)
 *
 * @example
 * getAllStartMethods().includes('fork'); // true in programs started by `simul run`
 */
export function getAllStartMethods(): StartMethod[] {
  return methods.filter((one) => whyNot(one) === undefined);
}

/** @internal Throws UnsupportedError, with the reason, for one that cannot work here. */
export function refuseUnsupported(wanted: StartMethod): void {
  const reason = whyNot(wanted);
  if (reason !== undefined) throw new UnsupportedError(reason);
}

function whyNot(wanted: StartMethod): string | undefined {
  if (wanted === 'spawn') return undefined;
  if (process.platform !== 'linux' || !hasLibc()) {
    return `start method "${wanted}" needs Linux and libc through the package "koffi": use "spawn"`;
  }
  return wanted === 'fork' ? whyNoFork() : undefined;
}
