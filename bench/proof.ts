/** Fails the row unless as many arrived as were sent. */
export function proveCount(what: string, expected: number, received: number): void {
  if (expected !== received) throw new Error(`${what}: ${expected} expected, ${received} arrived`);
}

/** Fails the row unless the sum of what arrived is the sum of what was sent: catches duplicates that hide losses. */
export function proveSum(what: string, expected: number, values: Iterable<number>): void {
  let sum = 0;
  for (const value of values) sum += value;
  if (sum !== expected) throw new Error(`${what}: the sum should be ${expected}, it is ${sum}`);
}

/** Fails the row unless exactly these ids arrived, each once. */
export function proveIds(what: string, sent: readonly string[], arrived: readonly string[]): void {
  const seen = new Set(arrived);
  const lost = sent.filter((id) => !seen.has(id)).length;
  const foreign = seen.size - (sent.length - lost);
  const twice = arrived.length - seen.size;
  if (lost + foreign + twice > 0) {
    throw new Error(`${what}: of ${sent.length}, ${lost} lost, ${twice} twice, ${foreign} that nobody sent`);
  }
}
