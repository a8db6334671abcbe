// Compiled with the rest: a line marked @ts-expect-error that does compile fails the build.
import type { AsyncResult, TaskContext } from '../../src/entry/index.ts';
import { Simul } from '../../src/entry/index.ts';

const app = new Simul('types', { broker: 'memory://types' });
const add = app.task('add', (x: number, y: number) => x + y);
const late = app.task('late', { maxRetries: 3 }, async (text: string, times = 1) => text.repeat(times));
const bound = app.task('bound', { bind: true }, (ctx, id: string) => ({ id, retries: ctx.retries }));

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing two generic functions is what makes types equal, not just assignable
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

export async function infers(): Promise<void> {
  same<Awaited<ReturnType<typeof add.delay>>, AsyncResult<number>>(true);
  const sum = await (await add.delay(1, 2)).get();
  same<typeof sum, number>(true);
  const text = await (await late.delay('a')).get();
  same<typeof text, string>(true);
  const found = await (await bound.delay('x')).get();
  same<typeof found, { id: string; retries: number }>(true);
  same<Parameters<typeof bound>, [id: string]>(true);
  await add.applyAsync([1, 2], { countdown: 1 });
  await add.applyAsync([1], { kwargs: { y: 2 } });
  const unknown = await (await app.sendTask('other', [1])).get();
  same<typeof unknown, unknown>(true);
}

export async function refuses(): Promise<void> {
  // @ts-expect-error the second argument is missing
  await add.delay(1);
  // @ts-expect-error a string is not a number
  await add.delay(1, '2');
  // @ts-expect-error there is no such option
  await add.applyAsync([1, 2], { count: 1 });
  // @ts-expect-error the context is passed by the worker
  await bound.delay({} as TaskContext, 'x');
  // @ts-expect-error the default's type is the parameter's
  await late.delay('a', 'b');
  // @ts-expect-error there is no such pool
  app.task('no', { pool: 'cloud' }, () => 1);
}
