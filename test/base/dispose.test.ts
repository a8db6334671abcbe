import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../../src/base/deferred.ts';
import { ResourceStack } from '../../src/base/dispose.ts';
import { ClosedError } from '../../src/base/errors.ts';

test('resources are released in reverse order, one after another, each once', async () => {
  const log: string[] = [];
  const gate = deferred();
  const stack = new ResourceStack();
  assert.equal(
    stack.own('first', (name) => void log.push(name)),
    'first',
  );
  stack.own('second', async (name) => {
    await gate.promise;
    log.push(name);
  });
  stack.defer(() => void log.push('third'));
  const disposals = [stack.dispose(), stack[Symbol.asyncDispose]()];
  assert.deepEqual(log, ['third']);
  gate.resolve();
  await Promise.all(disposals);
  assert.deepEqual(log, ['third', 'second', 'first']);
});

test('a failing release does not keep the others; all failures are told', async () => {
  const log: string[] = [];
  const stack = new ResourceStack();
  stack.defer(() => void log.push('released'));
  stack.defer(() => {
    throw new Error('one');
  });
  await assert.rejects(stack.dispose(), /^Error: one$/);
  assert.deepEqual(log, ['released']);

  const both = new ResourceStack();
  both.defer(() => Promise.reject(new Error('one')));
  both.defer(() => {
    throw new Error('two');
  });
  await assert.rejects(both.dispose(), (error: unknown) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((inner: Error) => inner.message),
      ['two', 'one'],
    );
    return true;
  });
});

test('what is added during the release is released too, later it is refused', async () => {
  const log: string[] = [];
  const stack = new ResourceStack();
  stack.defer(() => stack.defer(() => void log.push('late')));
  await stack.dispose();
  assert.deepEqual(log, ['late']);
  assert.throws(() => stack.defer(() => {}), ClosedError);
});

test('await using releases it', async () => {
  const log: string[] = [];
  {
    await using stack = new ResourceStack();
    stack.defer(() => void log.push('released'));
    log.push('body');
  }
  assert.deepEqual(log, ['body', 'released']);
});
