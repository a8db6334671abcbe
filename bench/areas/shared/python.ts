import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Contender } from '../../harness.ts';

const program = `
import multiprocessing as mp, sys, time
what, n = sys.argv[1], int(sys.argv[2])
def small(i): return {'id': i, 'name': 'abcdefghij', 'tags': ['red', 'green', 'blue']}
tails = [bytes([i]) * 65532 for i in range(256)]
def bulk(i): return i.to_bytes(4, 'little') + tails[i & 255]
def fill(q, make, n):
    for i in range(n): q.put(make(i))
def queue(make):
    q = mp.Queue(); p = mp.Process(target=fill, args=(q, make, n)); warm = mp.Process(target=fill, args=(q, make, 1))
    warm.start(); q.get(); warm.join(); t = time.perf_counter(); p.start()
    for i in range(n):
        if q.get() != make(i): raise SystemExit('changed')
    t = time.perf_counter() - t; p.join(); return t
def lock():
    l = mp.Lock(); t = time.perf_counter()
    for _ in range(n): l.acquire(); l.release()
    return time.perf_counter() - t
def value():
    v = mp.Value('i', 0); t = time.perf_counter()
    for _ in range(n):
        with v.get_lock(): v.value += 1
    t = time.perf_counter() - t; assert v.value == n; return t
print({'lock': lock, 'value': value, 'small': lambda: queue(small), 'bulk': lambda: queue(bulk)}[what]())
`;

/** The same work in CPython's multiprocessing; `value` makes the figure of seconds and count. */
export function python(what: string, count: number, value: (seconds: number, count: number) => number): Contender {
  return {
    settings: { operations: count },
    run: async () => {
      const { stdout } = await promisify(execFile)('python3', ['-c', program, what, String(count)]);
      return { value: value(Number(stdout), count), operations: count };
    },
  };
}
