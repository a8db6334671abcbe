/** The line at the bottom of a terminal that tells what is running; nothing where output is not a terminal. */
export class Progress {
  readonly #running = new Set<string>();
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  start(name: string): void {
    this.#running.add(name);
    this.#draw();
  }

  end(name: string, line: string): void {
    this.#running.delete(name);
    this.#done++;
    this.clear();
    console.log(line);
    this.#draw();
  }

  clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }

  #draw(): void {
    if (!process.stdout.isTTY) return;
    const line = `[${this.#done}/${this.#total}] ${[...this.#running].join(', ')}`;
    process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
  }
}
