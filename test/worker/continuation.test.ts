import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uuid } from '../../src/base/ids.ts';
import type { Embed } from '../../src/tasks/message.ts';
import { encodeMessage } from '../../src/tasks/message.ts';
import type { Fleet } from './fleet.ts';
import { withFleet } from './fleet.ts';

const wait = { timeout: 10 };

/** A signature as Celery writes it. */
function sig(task: string, args: unknown[] = [], more: Record<string, unknown> = {}, options: object = {}) {
  return { task, args, kwargs: {}, options, subtask_type: null, immutable: false, ...more };
}

async function inject({ app, inject: put }: Fleet, task: string, args: unknown[], embed: Partial<Embed>) {
  const id = uuid();
  const none = { callbacks: null, errbacks: null, chain: null, chord: null };
  await put(encodeMessage({ id, task, args, kwargs: {}, queue: 'celery', embed: { ...none, ...embed } }));
  return app.AsyncResult(id);
}

function withAdd(body: (fleet: Fleet) => Promise<void>) {
  return withFleet(async (fleet) => {
    fleet.app.task('add', (x: number, y: number) => x + y);
    fleet.app.task('fail', () => {
      throw new TypeError('boom');
    });
    await fleet.start();
    await body(fleet);
  });
}

describe('after a task that succeeds', () => {
  it('its callbacks get the result before their own arguments, and are its children', () =>
    withAdd(async (fleet) => {
      const callbacks = [sig('add', [10]), sig('add', [1, 2], { immutable: true })];
      const result = await inject(fleet, 'add', [2, 3], { callbacks });
      assert.equal(await result.get(wait), 5);
      const children = await result.children();
      assert.deepEqual(await Promise.all(children.map((child) => child.get(wait))), [15, 3]);
    }));

  it('its chain goes on, the last element first, under the ids it names', () =>
    withAdd(async (fleet) => {
      const [second, third] = [uuid(), uuid()];
      const chain = [sig('add', [100], {}, { task_id: third }), sig('add', [10], {}, { task_id: second })];
      await inject(fleet, 'add', [1, 1], { chain });
      assert.equal(await fleet.app.AsyncResult(third).get(wait), 112);
      assert.equal(await fleet.app.AsyncResult(second).get(wait), 12);
    }));

  it('what follows it has its root and its parent, and the options of its signature', () =>
    withAdd(async (fleet) => {
      fleet.app.task('look', { bind: true }, (ctx) => [ctx.rootId, ctx.parentId, ctx.headers['tenant'], ctx.kwargs]);
      await fleet.start({ queues: ['other'] });
      const callback = sig(
        'look',
        [],
        { kwargs: { k: 1 }, immutable: true },
        { queue: 'other', headers: { tenant: 't' } },
      );
      const result = await inject(fleet, 'add', [1, 1], { callbacks: [callback] });
      await result.get(wait);
      const [child] = await result.children();
      assert.deepEqual(await child!.get(wait), [result.id, result.id, 't', { k: 1 }]);
    }));

  it('a second run of the same message sends the same ids', () =>
    withAdd(async (fleet) => {
      const id = uuid();
      const embed = { callbacks: [sig('add', [1])], errbacks: null, chain: null, chord: null };
      const envelope = encodeMessage({ id, task: 'add', args: [1, 1], kwargs: {}, queue: 'celery', embed });
      const children = [];
      for (let run = 0; run < 2; run++) {
        await fleet.app.AsyncResult(id).forget();
        await fleet.inject(envelope);
        await fleet.app.AsyncResult(id).get(wait);
        children.push((await fleet.app.AsyncResult(id).children())[0]!.id);
      }
      assert.equal(children[0], children[1]);
    }));

  const notYet: [string, Partial<Embed>, RegExp][] = [
    ['a chord', { chord: sig('add') }, /the chord it is part of/],
    ['a callback that is a group', { callbacks: [sig('celery.group', [], { subtask_type: 'group' })] }, /callback 0/],
    ['a chain that goes on with a chord', { chain: [sig('celery.chord', [], { subtask_type: 'chord' })] }, /next task/],
    ['a callback that is no signature', { callbacks: [7] }, /callback 0/],
  ];
  for (const [what, embed, warning] of notYet) {
    it(`${what} that it carried is not lost silently`, () =>
      withAdd(async (fleet) => {
        const result = await inject(fleet, 'add', [1, 1], embed);
        assert.equal(await result.get(wait), 2);
        assert.ok(
          fleet.log.some(
            (line) => line.includes(result.id) && line.includes('does not carry on') && warning.test(line),
          ),
          fleet.log.join(''),
        );
      }));
  }
});

describe('after a task that fails', () => {
  it('its errbacks get its id, and the rest of its chain fails with it', () =>
    withAdd(async (fleet) => {
      const seen: unknown[] = [];
      const over = uuid();
      fleet.app.task('seen', (id: string) => void seen.push(id));
      const [second, third] = [uuid(), uuid()];
      const result = await inject(fleet, 'fail', [], {
        errbacks: [sig('seen', [], {}, { task_id: over })],
        chain: [sig('add', [1], {}, { task_id: third }), sig('add', [1], {}, { task_id: second })],
        callbacks: [sig('seen', ['never'], { immutable: true })],
      });
      for (const id of [result.id, second, third]) {
        await assert.rejects(fleet.app.AsyncResult(id).get(wait), { name: 'TypeError', message: 'boom' });
      }
      await fleet.app.AsyncResult(over).get(wait);
      assert.deepEqual(seen, [result.id]);
    }));

  it('a retry carries all of it along', () =>
    withFleet(async (fleet) => {
      fleet.app.task('t', { bind: true }, (ctx) => (ctx.retries === 0 ? ctx.retry({ countdown: 0 }) : ctx.retries));
      fleet.app.task('add', (x: number, y: number) => x + y);
      await fleet.start();
      const end = uuid();
      await inject(fleet, 't', [], { chain: [sig('add', [10], {}, { task_id: end })] });
      assert.equal(await fleet.app.AsyncResult(end).get(wait), 11);
    }));
});
