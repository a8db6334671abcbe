import { InvalidArgumentError } from '../base/errors.ts';
import type { ConsumerOptions } from './broker.ts';
import { checkQueue } from './outgoing.ts';

/** Throws InvalidArgumentError for what no broker could serve. */
export function checkConsumerOptions(options: ConsumerOptions): void {
  const { queues, lease, stallTimeout, countFrom = 'receive' } = options;
  if (!Array.isArray(queues) || queues.length === 0) {
    throw new InvalidArgumentError('queues', queues, 'the names of one queue or more');
  }
  for (const queue of queues) checkQueue(queue);
  checkPositive('lease', lease);
  if (stallTimeout !== undefined) checkPositive('stallTimeout', stallTimeout);
  if (countFrom !== 'receive' && countFrom !== 'begin') {
    throw new InvalidArgumentError('countFrom', countFrom, "'receive' or 'begin'");
  }
}

export function checkMax(max: number): void {
  if (!Number.isInteger(max) || max < 1)
    throw new InvalidArgumentError('max', max, 'a whole number of messages, 1 or more');
}

function checkPositive(name: string, seconds: number): void {
  if (typeof seconds !== 'number' || !(seconds > 0)) {
    throw new InvalidArgumentError(name, seconds, 'a number of seconds above 0');
  }
}
