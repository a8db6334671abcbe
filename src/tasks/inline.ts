import { uuid } from '../base/ids.ts';
import { TaskContext } from './context.ts';
import { nodeName } from './identity.ts';

/** The context of a bound task that is called directly: a run of its own, here, with no message behind it. */
export function inlineContext(task: string, args: readonly unknown[]): TaskContext {
  const id = uuid();
  return new TaskContext(
    {
      id,
      task,
      rootId: id,
      parentId: undefined,
      group: undefined,
      groupIndex: undefined,
      retries: 0,
      eta: undefined,
      expires: undefined,
      args,
      kwargs: {},
      headers: {},
      properties: {},
      deliveryInfo: { exchange: '', routingKey: '', priority: undefined, redelivered: false },
      timeLimit: undefined,
      softTimeLimit: undefined,
      origin: undefined,
      hostname: nodeName(undefined),
    },
    { signal: new AbortController().signal, logger: console, storeState: async () => {} },
  );
}
