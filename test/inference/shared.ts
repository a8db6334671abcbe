// What is inferred, and what must not compile; checked by tsc.
import { portable } from '../../src/entry/callable.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing two generic functions is what makes types equal, not just assignable
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

const add = portable(import.meta, 'add', async (a: number, b: number) => a + b);

export async function types(): Promise<void> {
  const thread = new threading.Thread(add, [1, 2]);
  const sum = await thread.join();
  same<typeof sum, number>(true);
  // @ts-expect-error -- an argument of the wrong type
  void new threading.Thread(add, [1, '2']);
  // @ts-expect-error -- an argument too few
  void new multiprocessing.Process(add, [1]);

  const big = new multiprocessing.Value('int64', 1n);
  same<typeof big.value, bigint>(true);
  // @ts-expect-error -- a number where a bigint is needed
  big.value = 1;
  const letters = new multiprocessing.Array('B', [1, 2]);
  same<typeof letters.view, Uint8Array>(true);
  // @ts-expect-error -- no such type code
  void new multiprocessing.RawValue('int33');

  const queue = new threading.Queue<{ id: number }>();
  const item = await queue.get();
  same<typeof item, { id: number }>(true);
  // @ts-expect-error -- another item
  await queue.put('text');
  // @ts-expect-error -- an item without a rank
  void new threading.PriorityQueue<string>();

  const [reader] = multiprocessing.Pipe<string>();
  const text = await reader.recv();
  same<typeof text, string>(true);

  const manager = await multiprocessing.Manager();
  const scores = await manager.dict<number>();
  const score = await scores.get('a');
  same<typeof score, number | undefined>(true);
  // @ts-expect-error -- a value of another type
  await scores.set('a', 'b');
}
