import type { CarriedValue } from '../context.ts';
import { withValues } from './in-context.ts';

type Fn = (...args: unknown[]) => unknown;

/** What writes the items. */
interface Writer {
  item(id: number, value: unknown): void;
}

interface Running {
  credit: number;
  go: () => void;
  left: boolean;
}

/** The generators that run in this worker, each as far ahead as its consumer lets it. */
export class Streams {
  readonly #running = new Map<number, Running>();

  /** Runs one to its end; the items are written as they come. */
  async run(id: number, fn: Fn, [ahead, values, ...args]: readonly unknown[], writer: Writer): Promise<void> {
    const stream = { credit: ahead as number, go: () => {}, left: false };
    this.#running.set(id, stream);
    const write = (item: unknown) => writer.item(id, item);
    try {
      if (values === undefined) await writeAll(stream, fn, args, write);
      else await withValues(values as readonly CarriedValue[], () => writeAll(stream, fn, args, write));
    } finally {
      this.#running.delete(id);
    }
  }

  /** The consumer has taken some; 0 says that it takes no more. */
  credit(id: number, items: number): void {
    const stream = this.#running.get(id);
    if (stream === undefined) return;
    if (items === 0) stream.left = true;
    stream.credit += items;
    stream.go();
  }
}

async function writeAll(
  stream: Running,
  fn: Fn,
  args: readonly unknown[],
  write: (item: unknown) => void,
): Promise<void> {
  const items = await fn(...args);
  if (!isIterable(items))
    throw new TypeError(`a stream is of what an iterator gives, and the function gave ${typeof items}`);
  for await (const item of items) {
    if (stream.left) return;
    write(item);
    if (--stream.credit <= 0) await new Promise<void>((resolve) => (stream.go = resolve));
    if (stream.left) return;
  }
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}
