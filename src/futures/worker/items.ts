type Fn = (...args: unknown[]) => unknown;

/** Calls `fn` with each item, one after the other; a promise only if one of the results is. */
export function callEach(fn: Fn, items: readonly unknown[], spread: boolean): unknown[] | Promise<unknown[]> {
  const results: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    const result = spread ? fn(...(items[i] as unknown[])) : fn(items[i]);
    if (typeof result === 'object' && result !== null && 'then' in result)
      return goOn(fn, items, spread, results, result);
    results.push(result);
  }
  return results;
}

async function goOn(
  fn: Fn,
  items: readonly unknown[],
  spread: boolean,
  results: unknown[],
  first: unknown,
): Promise<unknown[]> {
  results.push(await first);
  for (let i = results.length; i < items.length; i++) {
    results.push(await (spread ? fn(...(items[i] as unknown[])) : fn(items[i])));
  }
  return results;
}
