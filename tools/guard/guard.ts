/** One rule of the tree: `faults` resolves with one line for each place that breaks it. */
export interface Guard {
  readonly name: string;
  faults(): Promise<readonly string[]> | readonly string[];
}
