// Compiled with the rest: a line marked @ts-expect-error that does compile fails the build.
import type { Host } from '../../src/entry/callable.ts';
import { fromModule, portable, transfer } from '../../src/entry/callable.ts';

interface Jobs {
  resize(name: string, width: number): Promise<{ bytes: number }>;
  count(words: readonly string[]): number;
  readonly limit: number;
}

declare const host: Host;

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing two generic functions is what makes types equal, not just assignable
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

const identity = portable(import.meta, 'identity', <T>(value: T): T => value);
const greet = portable(import.meta, 'greet', (name: string, times = 1) => name.repeat(times));

export async function infers(): Promise<void> {
  const one: 1 = identity(1);
  same<typeof greet, (name: string, times?: number) => string>(true);
  const { resize, count } = fromModule<Jobs>('/jobs.js');
  same<typeof resize, (name: string, width: number) => Promise<{ bytes: number }>>(true);
  same<typeof count, (words: readonly string[]) => Promise<number>>(true);
  same<ReturnType<typeof fromModule<Jobs, 'count'>>, typeof count>(true);
  const sized = await host.call(resize, ['a', one]);
  same<typeof sized, { bytes: number }>(true);
  const counted = await host.call((words: string[]) => words.length, [['a']]);
  same<typeof counted, number>(true);
  same<Awaited<ReturnType<typeof host.call<typeof greet>>>, string>(true);
  await host.call(greet, ['a']);
  const unknown = await fromModule('/jobs.js', 'anything')(1, 'x');
  same<typeof unknown, unknown>(true);
  const moved = transfer({ pixels: new Uint8Array(1) }, [new ArrayBuffer(1)]);
  same<typeof moved, { pixels: Uint8Array<ArrayBuffer> }>(true);
}

export async function refuses(): Promise<void> {
  // @ts-expect-error there is no such export
  fromModule<Jobs, 'shrink'>('/jobs.js', 'shrink');
  // @ts-expect-error there is no such export
  fromModule<Jobs>('/jobs.js', 'shrink');
  // @ts-expect-error an export that is not a function
  void fromModule<Jobs>('/jobs.js').limit;
  // @ts-expect-error the second argument is missing
  await host.call(fromModule<Jobs>('/jobs.js').resize, ['a']);
  // @ts-expect-error a number is no name
  await host.call(greet, [1]);
  // @ts-expect-error arguments come as a list
  await host.call(greet, 'a');
  // @ts-expect-error a class is not a function to call
  portable(import.meta, 'Map', Map);
  // @ts-expect-error a name is missing
  portable(import.meta, () => 1);
  // @ts-expect-error primitives cannot be moved
  transfer(1, []);
  // @ts-expect-error a view is not what is moved, its buffer is
  transfer({}, ['text']);
}
