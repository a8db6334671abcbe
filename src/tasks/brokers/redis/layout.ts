import { uuid } from '../../../base/ids.ts';

// kombu's own separator: two control bytes.
export const separator = '\x06\x16';
const steps = [0, 3, 6, 9] as const;
export const stepCount = steps.length;

/** The names of all keys: kombu's, to the byte, and ours, which begin with `simul:`. */
export class Layout {
  readonly prefix: string;
  readonly unacked: string;
  readonly unackedIndex: string;
  readonly unackedMutex: string;
  /** Sorted set: the consumers, each with the time at which its lease ends. */
  readonly consumers: string;
  /** List: what was set aside, newest first. */
  readonly quarantine: string;
  /** String: which process looks after the claims of the dead. */
  readonly steward: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.unacked = `${prefix}unacked`;
    this.unackedIndex = `${prefix}unacked_index`;
    this.unackedMutex = `${prefix}unacked_mutex`;
    this.consumers = `${prefix}simul:consumers`;
    this.quarantine = `${prefix}simul:quarantine`;
    this.steward = `${prefix}simul:steward`;
  }

  /** The list of a queue for a priority step (0 to 3, most urgent first). */
  list(queue: string, step: number): string {
    return step === 0 ? `${this.prefix}${queue}` : `${this.prefix}${queue}${separator}${steps[step]}`;
  }

  /** All lists of several queues in kombu's order: by step, then by queue. */
  lists(queues: readonly string[]): string[] {
    return steps.flatMap((_, step) => queues.map((queue) => this.list(queue, step)));
  }

  binding(exchange: string): string {
    return `${this.prefix}_kombu.binding.${exchange}`;
  }

  /** Sorted set: the claims of a queue that are to be given back, each with the time it is due. */
  delayed(queue: string): string {
    return `${this.prefix}simul:delayed:${queue}`;
  }

  /** Set: the tags of a consumer's claims. */
  claims(consumer: string): string {
    return `${this.prefix}simul:claims:${consumer}`;
  }

  /** Set: those of a consumer's claims that it has begun, if it says so. */
  begun(consumer: string): string {
    return `${this.prefix}simul:begun:${consumer}`;
  }

  /** Hash: what a consumer tells of itself. */
  consumer(id: string): string {
    return `${this.prefix}simul:consumer:${id}`;
  }

  /** String: the last batch that a publisher has stored. */
  published(publisher: string): string {
    return `${this.prefix}simul:published:${publisher}`;
  }
}

// Told by the name itself, which is there from the first claim on, whatever else of the consumer is stored by then.
const beginner = 'begins-';

/** A new name for a consumer; `begins` says that it counts only the claims that it has begun. */
export function consumerName(begins: boolean): string {
  const name = uuid().replaceAll('-', '').slice(0, 16);
  return begins ? `${beginner}${name}` : name;
}

/** Whether a consumer of this name counts only the claims that it has begun. */
export function namesBeginner(consumer: string): boolean {
  return consumer.startsWith(beginner);
}

/** Index of the step (0 to 3) for a priority on the wire, where 0 is the most urgent: the largest not above it. */
export function stepOf(priority: number | undefined): number {
  return Math.max(
    0,
    steps.findLastIndex((step) => step <= (priority ?? 0)),
  );
}

/** How kombu writes that a queue receives what is sent to an exchange with a routing key. */
export function bindingMember(routingKey: string, queue: string): string {
  return `${routingKey}${separator}${separator}${queue}`;
}

/** What the tag of a claim of ours tells: `simul:<consumer>:<number>:<step>:<queue>`. */
export interface Tag {
  readonly consumer: string;
  /** Counts the claims of a consumer. */
  readonly number: number;
  /** Index of the priority step of the list it was taken from. */
  readonly step: number;
  readonly queue: string;
}

/** Names a claim in kombu's `unacked`. */
export function writeTag({ consumer, number, step, queue }: Tag): string {
  return `simul:${consumer}:${number}:${step}:${queue}`;
}

/** The tag of a claim that is to be given back by and by; `bytes` is the length of its message. */
export function delayedTag(tag: Tag, bytes: number): string {
  return `simul:due:${tag.step}:${bytes}:${tag.consumer}:${tag.number}:${tag.queue}`;
}

/** Undefined for a tag that is not ours. */
export function readTag(text: string): (Tag & { readonly delayed: boolean }) | undefined {
  const [, consumer, number, step, queue] = /^simul:([^:]*):(\d+):(\d+):(.*)$/s.exec(text) ?? [];
  if (consumer === 'due') {
    const [, ward, count, name] = /^([^:]*):(\d+):(.*)$/s.exec(queue!) ?? [];
    if (ward === undefined) return undefined;
    return { consumer: ward, number: Number(count), step: Number(number), queue: name!, delayed: true };
  }
  if (consumer === undefined) return undefined;
  return { consumer, number: Number(number), step: Number(step), queue: queue!, delayed: false };
}
