import { ITEM } from '../channel/layout.ts';

type Fn = (...args: unknown[]) => unknown;

/** What writes the items. */
interface Writer {
  write(id: number, status: number, value: unknown): void;
}

/** The generators that run in this worker, each as far ahead as its consumer lets it. */
export class Streams {
  readonly #running = new Map<number, { credit: number; go: () => void; left: boolean }>();

  /** Runs one to its end; the items are written as they come. */
  async run(id: number, fn: Fn, [ahead, ...args]: readonly unknown[], writer: Writer): Promise<void> {
    const stream = { credit: ahead as number, go: () => {}, left: false };
    this.#running.set(id, stream);
    try {
      const items = (await fn(...args)) as Iterable<unknown> | AsyncIterable<unknown>;
      for await (const item of items) {
        if (stream.left) return;
        writer.write(id, ITEM, item);
        if (--stream.credit <= 0) await new Promise<void>((resolve) => (stream.go = resolve));
        if (stream.left) return;
      }
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
