import { uuid } from '../base/ids.ts';
import type { Broker, OutgoingMessage } from './broker.ts';
import type { TaskContext } from './context.ts';
import type { EncodedArguments, OwnParts } from './message-template.ts';
import { encodeArguments, MessageTemplate } from './message-template.ts';
import type { ApplyOptions, TaskOptions } from './task.ts';
import { messageTimes } from './times.ts';

/** A message but for what depends on the broker: nothing that happens to the call's values later changes it. */
export type Draft = EncodedArguments & OwnParts;

/** Makes the messages of a task that are sent with the same options. */
export class Sending {
  readonly #queue: string;
  readonly #priority: number | undefined;
  readonly #apply: ApplyOptions;
  readonly #expires: number | Date | undefined;
  readonly #template: MessageTemplate;

  /** Throws EncodeError for headers that cannot be written. */
  constructor(task: string, options: TaskOptions, apply: ApplyOptions, defaultQueue: string) {
    this.#apply = apply;
    this.#queue = apply.queue ?? options.queue ?? defaultQueue;
    this.#priority = apply.priority ?? options.priority;
    this.#expires = apply.expires ?? options.expires;
    this.#template = new MessageTemplate({
      task,
      queue: this.#queue,
      timeLimit: apply.timeLimit ?? options.timeLimit,
      softTimeLimit: apply.softTimeLimit ?? options.softTimeLimit,
      ignoreResult: apply.ignoreResult ?? options.ignoreResult,
      shadow: apply.shadow,
      headers: apply.headers,
    });
  }

  /** Throws EncodeError for arguments that cannot travel, InvalidArgumentError for times that are none. */
  draft(args: readonly unknown[], parent: TaskContext | undefined): Draft {
    const { taskId, kwargs, countdown, eta } = this.#apply;
    const { body, argsRepr, kwargsRepr } = encodeArguments(args, kwargs ?? {});
    const times = messageTimes({ countdown, eta, expires: this.#expires });
    return {
      id: taskId ?? uuid(),
      body,
      argsRepr,
      kwargsRepr,
      eta: times.eta,
      expires: times.expires,
      rootId: parent?.rootId,
      parentId: parent?.id,
    };
  }

  message(draft: Draft, broker: Broker): OutgoingMessage {
    const { eta } = draft;
    const priority = this.#priority;
    const wire = priority === undefined || broker.capabilities.mostUrgent === 9 ? priority : 9 - priority;
    return {
      queue: this.#queue,
      envelope: this.#template.write(draft, wire),
      priority,
      due: eta === undefined ? undefined : eta.getTime() / 1000,
    };
  }
}
