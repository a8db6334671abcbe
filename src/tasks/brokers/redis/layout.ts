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

  /** Hash: what a consumer tells of itself. */
  consumer(id: string): string {
    return `${this.prefix}simul:consumer:${id}`;
  }

  /** String: the last batch that a publisher has stored. */
  published(publisher: string): string {
    return `${this.prefix}simul:published:${publisher}`;
  }
}

/** Index of the step (0 to 3) for a priority on the wire, where 0 is the most urgent: the largest not above it. */
export function stepOf(priority: number | undefined): number {
  return steps.findLastIndex((step) => step <= (priority ?? 0)) < 0
    ? 0
    : steps.findLastIndex((step) => step <= (priority ?? 0));
}

/** How kombu writes that a queue receives what is sent to an exchange with a routing key. */
export function bindingMember(routingKey: string, queue: string): string {
  return `${routingKey}${separator}${separator}${queue}`;
}

const claimPrefix = 'simul:';
const delayedPrefix = 'simul:due:';

/** `simul:<consumer>:<number>:<queue>`: names a claim in kombu's `unacked`. */
export function claimTag(consumer: string, number: number, queue: string): string {
  return `${claimPrefix}${consumer}:${number}:${queue}`;
}

/** `simul:due:<step>:<bytes>:<consumer>:<number>:<queue>`: a claim that waits; `bytes` is the length of its message. */
export function delayedTag(claim: string, step: number, bytes: number): string {
  return `${delayedPrefix}${step}:${bytes}:${claim.slice(claimPrefix.length)}`;
}

/** What a tag tells; undefined for one that is not ours. */
export function readTag(
  tag: string,
): { consumer: string; number: number; queue: string; delayed: boolean } | undefined {
  const match = /^simul:(?:(due):\d+:\d+:)?([^:]*):(\d+):(.*)$/s.exec(tag);
  if (match === null) return undefined;
  return { consumer: match[2]!, number: Number(match[3]), queue: match[4]!, delayed: match[1] !== undefined };
}
