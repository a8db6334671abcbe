// The TypeScript half of the interop suite; the names of its tasks are those of python/interop_app.py.
import { appendFileSync, existsSync } from 'node:fs';
import { pause } from '../../src/base/pause.ts';
import { Ignore, registerError, Reject, Simul } from '../../src/entry/index.ts';

/** Has a twin in Python. */
export class OutOfStock extends Error {
  static readonly pythonType = 'interop_app.OutOfStock';
  override readonly name = 'OutOfStock';
}
registerError(OutOfStock);

class ValueError extends Error {
  static readonly pythonType = 'builtins.ValueError';
}

export const app = new Simul('interop', { defaultQueue: 'simul' });

export const add = app.task('interop.add', (x: number | bigint, y: number | bigint = 0) =>
  typeof x === 'bigint' || typeof y === 'bigint' ? BigInt(x) + BigInt(y) : x + y,
);

export const who = app.task('interop.who', async (path: string | null = null, seconds = 0) => {
  if (path !== null) appendFileSync(path, 'simul\n');
  await pause(seconds);
  return 'simul';
});

/** Runs until there is a file of that name and `.end`. */
export const held = app.task('interop.held', { bind: true }, async (ctx, path: string) => {
  appendFileSync(path, `simul begins ${Date.now() / 1000}\n`);
  while (!existsSync(`${path}.end`)) {
    await pause(0.02, ctx.signal);
    ctx.signal.throwIfAborted();
  }
  appendFileSync(path, `simul ends ${Date.now() / 1000}\n`);
  return 'simul';
});

export const echo = app.task('interop.echo', (value: unknown) => value);

export const described = app.task('interop.described', (value: unknown) => [
  Object.prototype.toString.call(value).slice(8, -1),
  String(value),
]);

export const fail = app.task('interop.fail', () => {
  throw new ValueError('boom');
});

export const typeError = app.task('interop.type_error', () => (undefined as unknown as { x: number }).x);

export const outOfStock = app.task('interop.out_of_stock', () => {
  throw new OutOfStock('no more of it');
});

export const retried = app.task('interop.retried', { bind: true, maxRetries: 5 }, (ctx, times: number) => {
  if (ctx.retries < times) ctx.retry({ error: new Error('again'), countdown: 0.2 });
  return ctx.retries;
});

export const givenUp = app.task('interop.given_up', { bind: true, maxRetries: 1 }, (ctx) =>
  ctx.retry({ error: new OutOfStock('again'), countdown: 0.1 }),
);

export const request = app.task('interop.request', { bind: true }, (ctx, ...rest: unknown[]) => ({
  id: ctx.id,
  args: ctx.args,
  kwargs: ctx.kwargs,
  rest: rest.length,
  root_id: ctx.rootId,
  parent_id: ctx.parentId ?? null,
  retries: ctx.retries,
  eta: ctx.eta?.toISOString() ?? null,
  expires: ctx.expires?.toISOString() ?? null,
  timelimit: [ctx.timeLimit ?? null, ctx.softTimeLimit ?? null],
  headers: ctx.headers,
  priority: ctx.deliveryInfo.priority ?? null,
  routing_key: ctx.deliveryInfo.routingKey,
  origin: ctx.origin ?? null,
  now: Date.now() / 1000,
}));

export const silent = app.task('interop.silent', { ignoreResult: true }, (path: string) => {
  appendFileSync(path, 'simul\n');
  return 'never seen';
});

export const ignored = app.task('interop.ignored', () => {
  throw new Ignore();
});

export const rejected = app.task('interop.rejected', () => {
  throw new Reject('no');
});

export const progress = app.task('interop.progress', { bind: true }, async (ctx) => {
  await ctx.progress(0.5);
  return 'done';
});

export const parent = app.task('interop.parent', async () => (await add.applyAsync([1, 2], { queue: 'simul' })).id);

export const retriedLate = app.task('interop.retried_late', { bind: true }, (ctx) =>
  ctx.retry({ error: new OutOfStock('soon'), countdown: 60 }),
);
