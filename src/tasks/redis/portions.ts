/** Bytes sent, or asked for, in one step; one item alone may have more. */
const mostBytes = 4 * 2 ** 20;

/**
 * Items in their order, in portions of at most `most` that have together at most about 4 MB: a script that holds up the
 * server is measured by both, and a request with all of them may not fit into a string.
 */
export function portions<T>(items: readonly T[], most: number, size: (item: T) => number): T[][] {
  const all: T[][] = [];
  let bytes = Infinity;
  for (const item of items) {
    const length = size(item);
    bytes += length;
    if (bytes > mostBytes || all.at(-1)!.length >= most) {
      all.push([]);
      bytes = length;
    }
    all.at(-1)!.push(item);
  }
  return all;
}
