import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Typed } from '../../src/base/json/typed.ts';
import type { ApplyOptions } from '../../src/tasks/task.ts';
import { fileWithText } from '../support/file.ts';
import { OutOfStock } from './app.ts';
import { sharedFleet, wait } from './fleet.ts';

/** A value, what Python calls its type and how it shows it, and what it comes back as if not as itself. */
export type SimulValue = readonly [what: string, value: unknown, type: string, repr: RegExp | string, back?: unknown];

const text = 'aé中😀\0\u007f\u2028 "quoted" \\';

export const plain: readonly SimulValue[] = [
  ['null', null, 'NoneType', 'None'],
  ['undefined, which comes back as null', undefined, 'NoneType', 'None', null],
  ['booleans', [true, false], 'list', '[True, False]'],
  ['safe integers', [0, -1, 2 ** 31, Number.MAX_SAFE_INTEGER], 'list', '[0, -1, 2147483648, 9007199254740991]'],
  ['big integers', [2n ** 53n, 2n ** 70n], 'list', '[9007199254740992, 1180591620717411303424]'],
  ['a small bigint, which comes back as a number', 7n, 'int', '7', 7],
  ['floats', [0.5, -1e-300, Number.MAX_VALUE, 5e-324], 'list', '[0.5, -1e-300, 1.7976931348623157e+308, 5e-324]'],
  ['numbers beyond 2^53, floats to Python', 1e16, 'float', '1e+16'],
  ['NaN and infinities', [Number.NaN, Infinity, -Infinity], 'list', '[nan, inf, -inf]'],
  ['text of every plane', text, 'str', /quoted/],
  ['a lone surrogate', '\ud800', 'str', "'\\ud800'"],
  ['nested arrays and objects', { a: [1, { b: [[], {}, null] }], '': 'x' }, 'dict', /'b': \[\[\], \{\}, None\]/],
];

export const typed: readonly SimulValue[] = [
  ['a Date', new Date('2024-05-06T07:08:09.123Z'), 'datetime', /^datetime\.datetime\(2024, 5, 6, 7, 8, 9, 123000, tz/],
  ['bytes that are text', Buffer.from('é'), 'bytes', "b'\\xc3\\xa9'"],
  ['bytes that are none', Buffer.from([255, 254, 0]), 'bytes', "b'\\xff\\xfe\\x00'"],
  ['a decimal', new Typed('decimal', '1.10'), 'Decimal', "Decimal('1.10')"],
  ['a date', new Typed('date', '2024-05-06'), 'date', 'datetime.date(2024, 5, 6)'],
  ['a time', new Typed('time', '07:08:09'), 'time', 'datetime.time(7, 8, 9)'],
  [
    'a uuid',
    Typed.uuid('12345678-1234-5678-1234-567812345678'),
    'UUID',
    "UUID('12345678-1234-5678-1234-567812345678')",
  ],
];

/** A TypeScript client calls a Celery worker. */
export function simulCallsPython(what: string, values: readonly SimulValue[], python?: () => string): void {
  describe(`a Simul client calls ${what}:`, () => {
    const fleet = sharedFleet(async (it) => {
      const worker = await it.pythonWorker({ queues: ['python'], pool: 'prefork', concurrency: 2 });
      return Object.assign(it, { worker });
    }, python);
    const send = (name: string, args: unknown[] = [], options: ApplyOptions = {}) =>
      fleet().client.sendTask(`interop.${name}`, args, { queue: 'python', ...options });
    const call = async (name: string, args: unknown[] = [], options: ApplyOptions = {}) =>
      (await send(name, args, options)).get(wait);

    it('success, with arguments by place and by name', async () => {
      assert.equal(await call('add', [2, 3]), 5);
      assert.equal(await call('add', [2], { kwargs: { y: 3 } }), 5);
      assert.equal(await call('who'), 'python');
    });

    it('failure, with type, message and traceback', async () => {
      const result = await send('fail');
      await assert.rejects(result.get(wait), (error: Error) => {
        assert.equal(error.name, 'ValueError');
        assert.equal(error.message, 'boom, 42');
        assert.match(error.stack ?? '', /Traceback[\s\S]*in fail[\s\S]*ValueError: \('boom', 42\)/);
        return true;
      });
      assert.equal(await result.status(), 'FAILURE');
      assert.match((await result.traceback()) ?? '', /Traceback/);
    });

    it('failure of a class that has a twin here', async () => {
      await assert.rejects(call('out_of_stock'), (error: unknown) => {
        assert.ok(error instanceof OutOfStock);
        assert.equal(error.message, 'no more of it');
        return true;
      });
    });

    it('a task that the worker does not know is dropped by it', async () => {
      // Python stores a result for it, after which it drops the message.
      await assert.rejects(call('no_such'), { name: 'NotRegistered' });
    });

    it('wrong arguments', async () => {
      await assert.rejects(call('add', []), { name: 'TypeError', message: /missing 1 required positional argument/ });
    });

    it('countdown and eta: not before their time', async () => {
      for (const kind of ['countdown', 'eta']) {
        const due = Date.now() / 1000 + 1.2;
        const options = kind === 'eta' ? { eta: new Date(due * 1000) } : { countdown: 1.2 };
        const got = (await call('request', [], options)) as { now: number; eta: string };
        assert.ok(got.now >= due - 0.02, `due ${due}, ran ${got.now}`);
        assert.ok(Date.parse(got.eta) > 0);
      }
    });

    it('expires: a task whose time is over is revoked', async () => {
      await assert.rejects(call('add', [1, 1], { expires: -5 }), { name: 'TaskRevokedError', message: 'expired' });
      assert.equal(await call('add', [1, 1], { expires: 60 }), 2);
    });

    it('retry: until it succeeds, and until there are no more', async () => {
      assert.equal(await call('retried', [2]), 2);
      await assert.rejects(call('given_up'), { name: 'KeyError', message: 'again' });
    });

    it('ignore_result, of the task and of the call: runs and stores nothing', async () => {
      const path = fleet().file();
      const a = await send('silent', [path]);
      const b = await send('who', [path], { ignoreResult: true });
      await fileWithText(path);
      while (readFileSync(path, 'utf8') !== 'python\npython\n') await new Promise(setImmediate);
      await call('add', [1, 1]);
      assert.deepEqual([await a.status(), await b.status()], ['PENDING', 'PENDING']);
    });

    it('Ignore and Reject end it without a result', async () => {
      const results = [await send('ignored'), await send('rejected')];
      await call('add', [1, 1]);
      await call('add', [1, 1]);
      assert.deepEqual(await Promise.all(results.map((r) => r.status())), ['PENDING', 'PENDING']);
    });

    it('every option of applyAsync reaches the task', async () => {
      const got = (await call('request', [1], {
        kwargs: { k: 2 },
        taskId: 'my-id',
        timeLimit: 30,
        softTimeLimit: 20,
        priority: 6,
        shadow: 'shown',
        headers: { tenant: 'x' },
        expires: 60,
        countdown: 0.05,
      })) as Record<string, unknown>;
      const { id, args, kwargs, root_id, parent_id, retries, timelimit, shadow, correlation_id } = got;
      assert.deepEqual(
        { id, args, kwargs, root_id, parent_id, retries, timelimit, shadow, correlation_id },
        {
          id: 'my-id',
          args: [1],
          kwargs: { k: 2 },
          root_id: 'my-id',
          parent_id: null,
          retries: 0,
          timelimit: [30, 20],
          shadow: 'shown',
          correlation_id: 'my-id',
        },
      );
      // 6 with us, where 9 goes first, is 3 on this wire, where 0 does.
      assert.deepEqual([got['priority'], got['routing_key']], [3, 'python']);
      assert.equal(got['tenant'], 'x');
      assert.match(String(got['origin']), /^gen\d+@/);
      assert.ok(Date.parse(String(got['eta'])) < Date.parse(String(got['expires'])));
    });

    it('revoke keeps a task from starting', async () => {
      const path = fleet().file();
      const result = await send('silent', [path], { countdown: 0.5 });
      await result.revoke();
      await assert.rejects(result.get(wait), { name: 'TaskRevokedError', message: 'revoked' });
      // Another that is due later shows that its time has passed.
      await call('add', [1, 1], { countdown: 1 });
      assert.equal(existsSync(path), false);
    });

    it('revoke with terminate ends a run', async () => {
      const path = fleet().file();
      const result = await send('held', [path]);
      await fileWithText(path);
      await result.revoke({ terminate: true });
      await assert.rejects(result.get(wait), { name: 'TaskRevokedError' });
      await fleet().worker.printed(
        new RegExp(`held\\[${result.id}\\].*(?:Terminated|revoked)|Terminating.*${result.id}`, 'i'),
      );
      assert.match(readFileSync(path, 'utf8'), /^python begins [\d.]+\n$/);
    });

    it('states of its own, children and parents', async () => {
      assert.equal(await call('progress'), 'done');
      const result = await send('parent');
      const id = await result.get(wait);
      const [child] = await result.children();
      assert.equal(child?.id, id);
      assert.equal(await child?.get(wait), 3);
    });

    for (const [name, value, type, repr, ...back] of values) {
      it(`round trip of ${name}`, async () => {
        const [foundType, foundRepr] = (await call('described', [value])) as [string, string];
        assert.equal(foundType, type);
        if (typeof repr === 'string') assert.equal(foundRepr, repr);
        else assert.match(foundRepr, repr);
        assert.deepEqual(await call('echo', [value]), back.length === 0 ? value : back[0]);
      });
    }

    it('five megabytes there and back', async () => {
      const large = 'aé😀 '.repeat(700_000);
      assert.ok((await call('echo', [large])) === large);
    });

    it('many at once', async () => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, n) => send('add', [n, 1])));
      const sums = await Promise.all(results.map((result) => result.get(wait)));
      assert.deepEqual(
        sums,
        Array.from({ length: 50 }, (_, n) => n + 1),
      );
    });

    it('the worker has survived all of it', async () => {
      const { code, output } = await fleet().celery('inspect', 'ping', '--timeout', '5');
      assert.equal(code, 0, output);
      assert.match(output, /1 node online/);
    });
  });
}
