import { realClock } from '../../base/clock.ts';

/** What it draws on: a stream that may be a terminal. */
export type Drawable = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;

/** A bar on stderr where that is a terminal; nothing elsewhere. */
export class ProgressBar implements Disposable {
  readonly #total: number;
  readonly #stream: Drawable;
  #drawn = -Infinity;

  constructor(total: number, stream: Drawable = process.stderr) {
    this.#total = total;
    this.#stream = stream;
  }

  show(label: string, done: number): void {
    if (!this.#stream.isTTY) return;
    const now = realClock.now();
    // A terminal draws no faster than a screen shows; more would only cost the exhibition time.
    if (now - this.#drawn < 0.05 && done < this.#total) return;
    this.#drawn = now;
    const filled = Math.round((done / this.#total) * width);
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    this.#stream.write(`\r\x1b[K${label.padEnd(10)} ${bar} ${done}/${this.#total} moves`);
  }

  clear(): void {
    if (this.#drawn > -Infinity) this.#stream.write('\r\x1b[K');
    this.#drawn = -Infinity;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

const width = 40;
