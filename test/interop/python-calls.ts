import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileWithText } from '../support/file.ts';
import { sharedFleet, wait } from './fleet.ts';
import type { PythonValue } from './values.ts';

const get = `get(timeout=${wait.timeout})`;

/** A Python client calls a Simul worker. `python` gives the interpreter, `values` what is to make the round trip. */
export function pythonCallsSimul(what: string, values: readonly PythonValue[], python?: () => string): void {
  describe(`${what} calls a Simul worker:`, () => {
    const fleet = sharedFleet(async (it) => {
      const worker = await it.simulWorker({ queues: ['simul'] });
      const driver = it.pythonClient();
      await driver.run('import datetime, decimal, math, time, uuid', 'from celery.exceptions import *');
      return { driver, worker, file: () => it.file() };
    }, python);
    const run = <T>(...source: string[]): Promise<T> => fleet().driver.run<T>(...source);
    /** Sends a task, waits for its end and tells its state, class, arguments and traceback. */
    const failure = (call: string) =>
      run<{ state: string; type: string; module: string; args: string; traceback: string | null }>(
        `r = ${call}`,
        `e = r.get(timeout=${wait.timeout}, propagate=False)`,
        'dict(state=r.state, type=type(e).__name__, module=type(e).__module__, args=repr(e.args), traceback=r.traceback)',
      );

    it('success, with arguments by place and by name', async () => {
      assert.equal(await run(`add.apply_async((2,), {'y': 3}, queue='simul').${get}`), 5);
      assert.equal(await run(`add.apply_async((), {'x': 2, 'y': 3}, queue='simul').${get}`), 5);
      assert.equal(await run(`who.apply_async(queue='simul').${get}`), 'simul');
    });

    it('the stored result says what Celery asks of it', async () => {
      const found = await run(
        "r = add.apply_async((2, 3), queue='simul')",
        `r.${get}`,
        '[r.state, r.traceback, r.children, type(r.date_done).__name__, r.successful()]',
      );
      assert.deepEqual(found, ['SUCCESS', null, [], 'datetime', true]);
    });

    it('failure, with type, message and traceback', async () => {
      const found = await failure("fail.apply_async(queue='simul')");
      const { traceback, ...rest } = found;
      assert.deepEqual(rest, { state: 'FAILURE', type: 'ValueError', module: 'builtins', args: "('boom',)" });
      assert.match(traceback ?? '', /boom\n\s+at .*app\.[jt]s:\d+/);
    });

    it('failure of a class that has a twin in Python', async () => {
      const { traceback: _, ...found } = await failure("out_of_stock.apply_async(queue='simul')");
      assert.deepEqual(found, {
        state: 'FAILURE',
        type: 'OutOfStock',
        module: 'interop_app',
        args: "('no more of it',)",
      });
    });

    it('failure of a JavaScript error', async () => {
      const found = await failure("app.send_task('interop.type_error', queue='simul')");
      assert.deepEqual([found.type, found.module], ['TypeError', 'builtins']);
      assert.match(found.args, /undefined/);
    });

    it('a task that the worker does not know', async () => {
      const found = await failure("app.send_task('interop.no_such', queue='simul')");
      assert.deepEqual([found.state, found.type], ['FAILURE', 'NotRegistered']);
    });

    it('wrong arguments', async () => {
      const found = await failure("app.send_task('interop.add', (1,), {'x': 2}, queue='simul')");
      assert.deepEqual([found.state, found.type], ['FAILURE', 'TypeError']);
    });

    it('countdown and eta: not before their time', async () => {
      for (const option of [
        'countdown=0.7',
        'eta=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.7)',
      ]) {
        const [sent, got] = await run<[number, { now: number; eta: string }]>(
          'before = time.time()',
          `[before, request.apply_async(queue='simul', ${option}).${get}]`,
        );
        assert.ok(got.now >= sent + 0.69, `${option}: sent ${sent}, ran ${got.now}`);
        assert.ok(got.now >= Date.parse(got.eta) / 1000 - 0.001);
      }
    });

    it('expires: a task whose time is over is revoked', async () => {
      const { traceback: _, ...found } = await failure("add.apply_async((1, 1), queue='simul', expires=-5)");
      assert.deepEqual(found, {
        state: 'REVOKED',
        type: 'TaskRevokedError',
        module: 'celery.exceptions',
        args: "('expired',)",
      });
      assert.equal(await run(`add.apply_async((1, 1), queue='simul', expires=60).${get}`), 2);
    });

    it('retry: until it succeeds, and until there are no more', async () => {
      assert.equal(await run(`retried.apply_async((2,), queue='simul').${get}`), 2);
      const found = await failure("given_up.apply_async(queue='simul')");
      assert.deepEqual([found.state, found.type, found.args], ['FAILURE', 'OutOfStock', "('again',)"]);
    });

    it('retry: while it waits its state and error are there', async () => {
      const found = await run<string[]>(
        "r = app.send_task('interop.retried_late', queue='simul')",
        'deadline = time.time() + 20',
        "while r.state != 'RETRY' and time.time() < deadline: time.sleep(0.02)",
        '[r.state, repr(r.result), r.traceback]',
      );
      assert.equal(found[0], 'RETRY');
      assert.match(found[1]!, /^OutOfStock\('soon'\)$/);
      assert.match(found[2]!, /soon/);
    });

    it('ignore_result, of the task and of the call: runs and stores nothing', async () => {
      const path = fleet().file();
      await run(`a = silent.apply_async((${JSON.stringify(path)},), queue='simul')`);
      await run(`b = who.apply_async((${JSON.stringify(path)},), queue='simul', ignore_result=True)`);
      await fileWithText(path);
      while (readFileSync(path, 'utf8') !== 'simul\nsimul\n') await new Promise(setImmediate);
      await run(`add.apply_async((1, 1), queue='simul').${get}`);
      assert.deepEqual(await run('[app.backend.get(app.backend.get_key_for_task(r.id)) for r in (a, b)]'), [
        null,
        null,
      ]);
    });

    it('Ignore and Reject end it without a result', async () => {
      await run("rs = [app.send_task('interop.' + n, queue='simul') for n in ('ignored', 'rejected')]");
      await run(`add.apply_async((1, 1), queue='simul').${get}`);
      assert.deepEqual(await run('[r.state for r in rs]'), ['PENDING', 'PENDING']);
    });

    it('every option of apply_async reaches the task', async () => {
      const got = await run<Record<string, unknown>>(
        "r = request.apply_async((1,), {'k': 2}, queue='simul', task_id='my-id', time_limit=30, soft_time_limit=20,",
        "    priority=3, shadow='shown', headers={'tenant': 'x'}, expires=60)",
        `r.${get}`,
      );
      assert.deepEqual(
        [got['id'], got['args'], got['kwargs'], got['root_id'], got['parent_id'], got['retries'], got['timelimit']],
        ['my-id', [1], { k: 2 }, 'my-id', null, 0, [30, 20]],
      );
      // 3 on this wire, where 0 goes first, is 6 on ours.
      assert.deepEqual([got['priority'], got['routing_key']], [6, 'simul']);
      const headers = got['headers'] as Record<string, unknown>;
      assert.deepEqual([headers['tenant'], headers['shadow'], headers['lang']], ['x', 'shown', 'py']);
      assert.match(String(got['origin']), /^gen\d+@/);
    });

    it('states of its own, children and parents', async () => {
      assert.equal(await run(`progress.apply_async(queue='simul').${get}`), 'done');
      const found = await run<[string, string, string]>(
        "r = parent.apply_async(queue='simul')",
        `child = r.${get}`,
        `[child, r.children[0].id, r.children[0].${get}]`,
      );
      assert.deepEqual(found.slice(1), [found[0], 3]);
    });

    for (const [name, source, back = source] of values) {
      it(`round trip of ${name}`, async () => {
        const found = await run<[boolean, string, string]>(
          `sent, expected = ${source}, ${back}`,
          `got = echo.apply_async((sent,), queue='simul').${get}`,
          '[got == expected and type(got) == type(expected), repr(got), repr(expected)]',
        );
        assert.ok(found[0], `${found[1].slice(0, 300)} is not ${found[2].slice(0, 300)}`);
      });
    }

    it('round trip of NaN', async () => {
      assert.equal(await run(`math.isnan(echo.apply_async((math.nan,), queue='simul').${get})`), true);
    });

    it('big integers are exact in between', async () => {
      assert.deepEqual(await run(`described.apply_async((2**70 + 1,), queue='simul').${get}`), [
        'BigInt',
        String(2n ** 70n + 1n),
      ]);
      assert.equal(await run(`str(add.apply_async((2**70, 1), queue='simul').${get})`), String(2n ** 70n + 1n));
    });

    it('five megabytes there and back', async () => {
      const equal = await run(
        "text = 'a\\u00e9\\U0001f600 ' * 700_000",
        `echo.apply_async((text,), queue='simul').${get} == text`,
      );
      assert.equal(equal, true);
    });

    it('compressed messages, retried too', async () => {
      for (const name of ['zlib', 'gzip']) {
        assert.equal(
          await run(`len(echo.apply_async(('a' * 100_000,), queue='simul', compression='${name}').${get})`),
          100_000,
        );
        assert.equal(await run(`retried.apply_async((1,), queue='simul', compression='${name}').${get}`), 1);
      }
    });

    it('protocol 1', async () => {
      const found = await run(
        'app.conf.task_protocol = 1',
        'app.amqp.__dict__.pop("create_task_message", None)',
        'try:',
        `    found = request.apply_async((1,), {'k': 2}, queue='simul', expires=60, countdown=0.1).${get}`,
        `    linked = add.apply_async((1, 1), queue='simul', link=add.s(10).set(queue='simul'))`,
        `    linked.${get}`,
        'finally:',
        '    app.conf.task_protocol = 2',
        '    app.amqp.__dict__.pop("create_task_message", None)',
        `[found['args'], found['kwargs'], found['retries'], 'argsrepr' in found['headers'], linked.children[0].${get}]`,
      );
      assert.deepEqual(found, [[1], { k: 2 }, 0, false, 12]);
    });

    it('what the worker cannot read fails with the reason, where a Celery worker would leave the caller waiting', async () => {
      const pickled = await failure("add.apply_async((1, 1), queue='simul', serializer='pickle')");
      assert.deepEqual([pickled.state, pickled.type], ['FAILURE', 'DecodeError']);
      assert.match(pickled.args, /application\/x-python-serialize/);
      const packed = await failure("add.apply_async((1, 1), queue='simul', compression='bzip2')");
      assert.deepEqual([packed.state, packed.type], ['FAILURE', 'DecodeError']);
      assert.match(packed.args, /compression/);
    });

    it('a chain, callbacks and a group', async () => {
      await run('from celery import chain, chord, group', "at = dict(queue='simul')");
      assert.equal(await run(`chain(add.s(1, 1).set(**at), add.s(10).set(**at), add.s(100).set(**at))().${get}`), 112);
      const linked = await run(
        'r = add.apply_async((1, 1), link=[add.s(10).set(**at), add.si(5, 6).set(**at)], **at)',
        `r.${get}`,
        `[child.${get} for child in r.children]`,
      );
      assert.deepEqual(linked, [12, 11]);
      assert.deepEqual(await run(`group(add.s(n, n).set(**at) for n in range(5))().${get}`), [0, 2, 4, 6, 8]);
    });

    it('a chain that fails, and its errback', async () => {
      const found = await run<[string, string, boolean]>(
        'errback = echo.s().set(task_id=str(uuid.uuid4()), **at)',
        'c = chain(fail.si().set(**at), add.si(1, 1).set(**at)).on_error(errback)',
        'r = c()',
        `e = r.get(timeout=${wait.timeout}, propagate=False)`,
        `told = app.AsyncResult(errback.options['task_id']).${get}`,
        '[r.state, type(e).__name__, told == r.parent.id]',
      );
      assert.deepEqual(found, ['FAILURE', 'ValueError', true]);
    });

    it('a chord is not carried on yet, and the worker says so with the id', async () => {
      const id = await run<string>(
        'r = chord([add.s(1, 1).set(**at)], echo.s().set(**at))()',
        `r.parent[0].${get}`,
        'r.parent[0].id',
      );
      await fleet().worker.printed(new RegExp(`${id}.*does not carry on the chord`));
    });

    it('revoke keeps a task from starting', async () => {
      const { traceback: _, ...found } = await failure(
        "add.apply_async((1, 1), queue='simul', countdown=0.5); app.control.revoke(r.id)",
      );
      assert.deepEqual([found.state, found.type], ['REVOKED', 'TaskRevokedError']);
    });

    it('revoke with terminate ends a run', async () => {
      const path = fleet().file();
      await run(`r = held.apply_async((${JSON.stringify(path)},), queue='simul')`);
      await fileWithText(path);
      const found = await run(
        'app.control.revoke(r.id, terminate=True)',
        `e = r.get(timeout=${wait.timeout}, propagate=False)`,
        '[r.state, type(e).__name__]',
      );
      assert.deepEqual(found, ['REVOKED', 'TaskRevokedError']);
      assert.match(readFileSync(path, 'utf8'), /^simul begins [\d.]+\n$/);
    });
  });
}
