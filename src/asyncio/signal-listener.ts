import { constants } from 'node:os';
import { InvalidArgumentError, SystemError } from '../base/errors.ts';

/**
 * Hears a signal beside whoever else does; returns what ends it. Throws InvalidArgumentError for what is no signal,
 * SystemError for those that cannot be caught.
 */
export function listenTo(signal: NodeJS.Signals, listener: () => void): () => void {
  // Node would take any name for that of an event.
  if (!(signal in constants.signals)) throw new InvalidArgumentError('signal', signal, 'the name of a signal');
  if (signal === 'SIGKILL' || signal === 'SIGSTOP') {
    const message = `${signal} can be neither caught nor ignored`;
    throw new SystemError('EINVAL', constants.errno.EINVAL, 'sigaction', { message });
  }
  process.on(signal, listener);
  return () => process.off(signal, listener);
}
