/** Calls `work` with 0 to n-1, `concurrency` at a time; resolves with the seconds it took. */
export async function inLanes(n: number, concurrency: number, work: (x: number) => Promise<unknown>): Promise<number> {
  const pending = Array.from({ length: n }, (_, x) => x).values();
  const start = performance.now();
  const lane = async () => {
    for (const x of pending) await work(x);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (performance.now() - start) / 1000;
}

/** The milliseconds of n calls one after the other, with pauses in which a worker goes idle again. */
export async function oneByOne(n: number, work: (x: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let x = 0; x < n; x++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const start = performance.now();
    await work(x);
    times.push(performance.now() - start);
  }
  return times;
}

export function check(x: number, value: unknown): void {
  if (value !== x + 1) throw new Error(`job ${x} should have given ${x + 1}, it gave ${String(value)}`);
}
