import assert from 'node:assert/strict';
import { within } from '../base/deadline.ts';
import { CancelledError, ClosedError, InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import type { Backend, BackendOptions, StoredResult } from '../tasks/backend.ts';
import type { Behaviour } from './conformance.ts';

/** What the suite needs of an implementation: a fresh, empty place for every behaviour. */
export interface BackendLab {
  /** Another handle on the same place each time; the lab closes them all. */
  open(options?: BackendOptions): Promise<Backend>;
}

/** Everything `Backend` promises within one process. */
export const backendBehaviours: readonly Behaviour<BackendLab>[] = [
  {
    name: 'results are fetched as they were stored, in the order asked for',
    async run(lab) {
      const backend = await lab.open();
      const results = [result('a'), result('b', 'FAILURE', 'π "\\ \ud83d\ude00'), result('c', 'STARTED')];
      await backend.store(results);
      const [a, b, c] = results;
      assert.deepEqual(await backend.fetch(['c', 'none', 'a', 'b', 'a']), [c, undefined, a, b, a]);
      assert.deepEqual(await backend.fetch([]), []);
      await backend.store([]);
    },
  },
  {
    name: 'a large document is kept whole',
    async run(lab) {
      const backend = await lab.open();
      const large = result('large', 'SUCCESS', 'x'.repeat(2 ** 21));
      await backend.store([large]);
      assert.deepEqual(await backend.fetch(['large']), [large]);
    },
  },
  {
    name: 'other handles see what is stored',
    async run(lab) {
      const [one, two] = [await lab.open(), await lab.open()];
      await one.store([result('a')]);
      assert.deepEqual(await two.fetch(['a']), [result('a')]);
    },
  },
  {
    name: 'a final state is replaced only by a final one, SUCCESS never',
    async run(lab) {
      const backend = await lab.open();
      const after = async (...states: string[]) => {
        const id = states.join();
        for (const state of states) await backend.store([result(id, state, state)]);
        const [stored] = await backend.fetch([id]);
        assert.equal(contentOf(stored), stored!.state);
        return stored!.state;
      };
      assert.equal(await after('STARTED', 'RETRY', 'PROGRESS'), 'PROGRESS');
      assert.equal(await after('STARTED', 'SUCCESS'), 'SUCCESS');
      assert.equal(await after('SUCCESS', 'STARTED'), 'SUCCESS');
      assert.equal(await after('SUCCESS', 'FAILURE', 'REVOKED'), 'SUCCESS');
      assert.equal(await after('FAILURE', 'STARTED'), 'FAILURE');
      assert.equal(await after('FAILURE', 'REVOKED'), 'REVOKED');
      assert.equal(await after('FAILURE', 'RETRY', 'SUCCESS'), 'SUCCESS');
      assert.equal(await after('REVOKED', 'RETRY'), 'REVOKED');
    },
  },
  {
    name: 'the same holds within one call and between overlapping ones',
    async run(lab) {
      const backend = await lab.open();
      await backend.store([result('a', 'STARTED'), result('a', 'SUCCESS'), result('a', 'FAILURE')]);
      await Promise.all([backend.store([result('b', 'SUCCESS')]), backend.store([result('b', 'STARTED')])]);
      const states = (await backend.fetch(['a', 'b'])).map((stored) => stored!.state);
      assert.deepEqual(states, ['SUCCESS', 'SUCCESS']);
    },
  },
  {
    name: 'wait gives what is final already',
    async run(lab) {
      const backend = await lab.open();
      await backend.store([result('a', 'FAILURE')]);
      assert.deepEqual(await limited(backend.wait('a')), result('a', 'FAILURE'));
    },
  },
  {
    name: 'wait is woken by another handle, and by a final state only',
    async run(lab) {
      const [client, worker] = [await lab.open(), await lab.open()];
      const waiting = limited(client.wait('a'));
      let settled = false;
      const watched = waiting.finally(() => (settled = true));
      await worker.store([result('a', 'STARTED')]);
      await worker.store([result('a', 'RETRY')]);
      await worker.fetch(['a']);
      assert.equal(settled, false);
      await worker.store([result('a', 'REVOKED')]);
      assert.deepEqual(await watched, result('a', 'REVOKED'));
    },
  },
  {
    name: 'a thousand waits get each its own result',
    async run(lab) {
      const [client, worker] = [await lab.open(), await lab.open()];
      const ids = Array.from({ length: 1000 }, (_, i) => `task-${i}`);
      const waits = Promise.all(ids.map((id) => limited(client.wait(id))));
      const results = ids.map((id) => result(id, 'SUCCESS', id));
      for (let i = 0; i < 1000; i += 100) await worker.store(results.slice(i, i + 100));
      assert.deepEqual(await waits, results);
    },
  },
  {
    name: 'several may wait for one task',
    async run(lab) {
      const backend = await lab.open();
      const abort = new AbortController();
      const gone = assert.rejects(limited(backend.wait('a', abort.signal)), CancelledError);
      const waits = Promise.all([limited(backend.wait('a')), limited(backend.wait('a'))]);
      abort.abort();
      await gone;
      await backend.store([result('a')]);
      assert.deepEqual(await waits, [result('a'), result('a')]);
    },
  },
  {
    name: 'wait is cancelled by its signal and ended by close',
    async run(lab) {
      const backend = await lab.open();
      await assert.rejects(backend.wait('a', AbortSignal.abort()), CancelledError);
      const abort = new AbortController();
      const cancelled = assert.rejects(limited(backend.wait('a', abort.signal)), CancelledError);
      const closed = assert.rejects(limited(backend.wait('a')), ClosedError);
      abort.abort();
      await cancelled;
      await backend.close();
      await closed;
    },
  },
  {
    name: 'what is forgotten is gone, and may be stored anew',
    async run(lab) {
      const backend = await lab.open();
      await backend.store([result('a'), result('b')]);
      await backend.forget(['a', 'none']);
      assert.deepEqual(await backend.fetch(['a', 'b']), [undefined, result('b')]);
      const waiting = limited(backend.wait('a'));
      await backend.store([result('a', 'FAILURE')]);
      assert.equal((await waiting).state, 'FAILURE');
      await backend.forget([]);
    },
  },
  {
    name: 'results expire, with 0 never, and the expired binds nobody',
    async run(lab) {
      const [short, forever] = [await lab.open({ resultExpires: 0.2 }), await lab.open({ resultExpires: 0 })];
      await short.store([result('a', 'SUCCESS', 'old')]);
      await forever.store([result('b')]);
      assert.equal(contentOf((await short.fetch(['a']))[0]), 'old');
      await limited(untilGone(forever, 'a'));
      assert.deepEqual(await forever.fetch(['b']), [result('b')]);
      await forever.store([result('a', 'STARTED', 'new')]);
      assert.equal(contentOf((await forever.fetch(['a']))[0]), 'new');
      await assert.rejects(lab.open({ resultExpires: -1 }), InvalidArgumentError);
    },
  },
  {
    name: 'a result to be kept outlives the others, until it is stored again like them',
    async run(lab) {
      const backend = await lab.open({ resultExpires: 0.2 });
      const kept = result('a', 'REVOKED');
      const both = Promise.all([backend.store([result('b'), { ...kept, keep: true }]), backend.store([result('c')])]);
      const waiting = limited(backend.wait('a'));
      await both;
      assert.deepEqual(await waiting, kept);
      await limited(untilGone(backend, 'b'));
      await limited(untilGone(backend, 'c'));
      // One more lifetime, so that it has had time enough.
      await backend.store([result('b')]);
      await limited(untilGone(backend, 'b'));
      assert.deepEqual(await backend.fetch(['a']), [kept]);
      await backend.store([kept]);
      assert.deepEqual(await backend.fetch(['a']), [kept]);
      await limited(untilGone(backend, 'a'));
      await backend.store([{ ...result('d', 'SUCCESS', 'first'), keep: true }]);
      await backend.store([result('d', 'REVOKED', 'refused')]);
      await backend.store([result('b')]);
      await limited(untilGone(backend, 'b'));
      assert.equal(contentOf((await backend.fetch(['d']))[0]), 'first');
    },
  },
  {
    name: 'everything refuses after close',
    async run(lab) {
      const backend = await lab.open();
      await backend.close();
      await backend.close();
      await assert.rejects(backend.store([result('a')]), ClosedError);
      await assert.rejects(backend.fetch(['a']), ClosedError);
      await assert.rejects(backend.wait('a'), ClosedError);
      await assert.rejects(backend.forget(['a']), ClosedError);
    },
  },
];

// A document such as Celery writes, as the contract has it: a backend may keep nothing else and read the state from it.
function result(id: string, state = 'SUCCESS', content = '5'): StoredResult {
  return { id, state, document: `{"status": "${state}", "result": ${JSON.stringify(content)}, "task_id": "${id}"}` };
}

function contentOf(stored: StoredResult | undefined): unknown {
  return stored === undefined ? undefined : (JSON.parse(stored.document) as { result: unknown }).result;
}

async function untilGone(backend: Backend, id: string): Promise<void> {
  while ((await backend.fetch([id]))[0] !== undefined) await new Promise(setImmediate);
}

/** Bounds a wait that an implementation may have broken, so that the suite ends. */
function limited<T>(promise: Promise<T>): Promise<T> {
  return within(promise, { timeout: 20 }).catch((error: unknown) => {
    if (error instanceof TimeoutError) throw new assert.AssertionError({ message: 'nothing happened within 20 s' });
    throw error;
  });
}
