/** One thing a contract promises; `run` rejects if this implementation breaks it. */
export interface Behaviour<Lab> {
  readonly name: string;
  /** Why the behaviour does not apply to this implementation, if it does not. */
  skip?(lab: Lab): string | undefined;
  run(lab: Lab): Promise<void>;
}

export type Verdict = 'ok' | 'FAIL' | '-';

/** What came of each behaviour (rows) in each implementation (columns). */
export class Matrix {
  readonly #title: string;
  readonly #rows = new Map<string, Map<string, Verdict>>();
  readonly #columns = new Set<string>();

  constructor(title: string) {
    this.#title = title;
  }

  set(behaviour: string, implementation: string, verdict: Verdict): void {
    let row = this.#rows.get(behaviour);
    if (row === undefined) this.#rows.set(behaviour, (row = new Map()));
    row.set(implementation, verdict);
    this.#columns.add(implementation);
  }

  toString(): string {
    const columns = [...this.#columns];
    const width = Math.max(this.#title.length, ...[...this.#rows.keys()].map((name) => name.length));
    const line = (name: string, cells: readonly string[]) =>
      [name.padEnd(width), ...cells.map((cell, i) => cell.padEnd(columns[i]!.length))].join('  ').trimEnd();
    const lines = [...this.#rows].map(([name, row]) =>
      line(
        name,
        columns.map((column) => row.get(column) ?? ''),
      ),
    );
    return [line(this.#title, columns), ...lines].join('\n');
  }
}
