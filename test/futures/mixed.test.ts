import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCompleted, Future, wait } from '../../src/entry/futures.ts';

test('futures of different types are waited for together', async () => {
  const [text, number, failed] = [new Future<string>(), new Future<number>(), new Future<never>()];
  const together: Future<unknown>[] = [text, number];
  text.setResult('a');
  number.setResult(1);
  failed.setException(new RangeError('far'));
  const { done } = await wait([text, number, failed]);
  assert.deepEqual(done, new Set<unknown>([...together, failed]));
  const values: (string | number)[] = [];
  for await (const [future] of asCompleted([text, number])) values.push(await future);
  assert.deepEqual(values, ['a', 1]);
  await assert.rejects(failed.result(), RangeError);
});
