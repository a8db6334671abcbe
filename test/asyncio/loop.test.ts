import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExceptionHandler, Executor, Report } from '../../src/entry/asyncio.ts';
import {
  CancelledError,
  ContextVar,
  copyContext,
  createTask,
  getRunningLoop,
  InvalidArgumentError,
  InvalidStateError,
  provideExecutor,
  sleep,
  toThread,
} from '../../src/entry/asyncio.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

describe('the loop', () => {
  it('calls callbacks in order, at the next turn, with their arguments', () =>
    virtual(async () => {
      const log: unknown[] = [];
      const loop = getRunningLoop();
      loop.callSoon((...args: number[]) => log.push(args), 1, 2);
      const gone = loop.callSoon(() => log.push('cancelled'));
      loop.callSoon(() => log.push('second'));
      gone.cancel();
      assert.equal(gone.cancelled(), true);
      assert.deepEqual(log, []);
      await sleep(0);
      assert.deepEqual(log, [[1, 2], 'second']);
    }));

  it('calls at and after times on its clock', () =>
    virtual(async () => {
      const loop = getRunningLoop();
      const log: unknown[] = [];
      const at = (name: string) => (): void => void log.push([name, loop.time()]);
      const handle = loop.callAt(loop.time() + 5, at('at'));
      loop.callLater(3, at('later'));
      loop.callLater(4, at('cancelled')).cancel();
      loop.callAt(loop.time() - 5, at('past'));
      assert.equal(handle.when(), 5);
      await sleep(10);
      assert.deepEqual(log, [
        ['past', 0],
        ['later', 3],
        ['at', 5],
      ]);
    }));

  it('refuses bad callbacks and times', () =>
    virtual(async () => {
      const loop = getRunningLoop();
      assert.throws(() => loop.callSoon(undefined as never), InvalidArgumentError);
      assert.throws(() => loop.callLater(-1, () => {}), InvalidArgumentError);
      assert.throws(() => loop.callLater(NaN, () => {}), InvalidArgumentError);
      assert.throws(() => loop.callAt(NaN, () => {}), InvalidArgumentError);
    }));

  it('makes futures that are set once', () =>
    virtual(async () => {
      const [good, bad, gone] = [1, 2, 3].map(() => getRunningLoop().createFuture<number>());
      good!.setResult(1);
      assert.throws(() => good!.setResult(2), InvalidStateError);
      assert.equal(await good, 1);
      bad!.setException(new Error('boom'));
      await assert.rejects(async () => bad, /boom/);
      assert.equal(gone!.cancel('why'), true);
      assert.equal(gone!.cancel(), false);
      await assert.rejects(async () => gone, new CancelledError('why'));
    }));

  it('tells its exception handler of callbacks that throw', () =>
    virtual(async () => {
      const reports: Report[] = [];
      const loop = getRunningLoop();
      loop.setExceptionHandler((given, report) => {
        assert.equal(given, loop);
        reports.push(report);
      });
      const boom = new Error('boom');
      loop.callSoon(function broken() {
        throw boom;
      });
      await sleep(0);
      assert.deepEqual(reports, [{ message: 'Exception in callback broken()', exception: boom, unhandled: true }]);
      assert.throws(() => loop.setExceptionHandler(5 as never), InvalidArgumentError);
    }));

  it('runs blocking work in an executor it is given, and ends it with the run', async () => {
    const log: string[] = [];
    const executor: Executor = {
      submit: async (fn, ...args) => {
        log.push('submit');
        return fn(...args);
      },
      shutdown: () => log.push('shutdown'),
    };
    await virtual(async () => {
      const loop = getRunningLoop();
      assert.equal(await loop.runInExecutor(executor, (a: number, b: number) => a + b, 1, 2), 3);
      loop.setDefaultExecutor(executor);
      assert.equal(await toThread((text: string) => text.length, 'abc'), 3);
      assert.throws(() => loop.setDefaultExecutor({} as never), InvalidArgumentError);
    });
    assert.deepEqual(log, ['submit', 'submit', 'shutdown']);
  });

  it('ends its executor once, and then takes no work for it', async () => {
    const log: string[] = [];
    const made: Executor = {
      submit: async (fn, ...args) => fn(...args),
      shutdown: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        log.push('ended');
      },
    };
    provideExecutor(() => {
      log.push('made');
      return made;
    });
    try {
      await virtual(async () => {
        const loop = getRunningLoop();
        assert.deepEqual([await toThread(() => 1), await toThread(() => 2)], [1, 2]);
        assert.deepEqual(log, ['made']);
        await loop.shutdownDefaultExecutor();
        assert.deepEqual(log, ['made', 'ended']);
        await assert.rejects(
          toThread(() => 3),
          new InvalidStateError('Executor shutdown has been called'),
        );
        assert.equal(await loop.runInExecutor(made, () => 4), 4);
        await loop.shutdownDefaultExecutor();
      });
      assert.deepEqual(log, ['made', 'ended']);
      await virtual(() => toThread(() => 5));
      assert.deepEqual(log, ['made', 'ended', 'made', 'ended']);
    } finally {
      provideExecutor(undefined as never);
    }
  });

  it('has one exception handler, which can be asked for and called', () =>
    virtual(async () => {
      const loop = getRunningLoop();
      assert.equal(loop.getExceptionHandler(), undefined);
      const contexts: Report[] = [];
      const handler: ExceptionHandler = (_loop, report) => contexts.push(report);
      loop.setExceptionHandler(handler);
      assert.equal(loop.getExceptionHandler(), handler);
      loop.callExceptionHandler({ message: 'told' });
      assert.deepEqual(contexts, [{ message: 'told' }]);
      loop.setExceptionHandler(undefined);
      assert.equal(loop.getExceptionHandler(), undefined);
    }));

  it('reports by default as a warning, also when its handler fails', (t) =>
    virtual(async () => {
      const loop = getRunningLoop();
      const warned: string[] = [];
      t.mock.method(process, 'emitWarning', (text: string, name: string) => {
        warned.push(`${name}: ${text.split('\n')[0]}`);
      });
      loop.defaultExceptionHandler({ message: 'by itself' });
      loop.setExceptionHandler(() => {
        throw new Error('handler broke');
      });
      loop.callExceptionHandler({ message: 'with a cause', exception: new Error('boom') });
      assert.deepEqual(warned, [
        'SimulWarning: by itself',
        'SimulWarning: with a cause: Error: boom',
        'SimulWarning: the exception handler itself failed: Error: handler broke',
      ]);
    }));

  it('says whether it is in debug mode', async () => {
    for (const debug of [true, false]) assert.equal(await virtual(() => getRunningLoop().getDebug(), { debug }), debug);
  });

  it('releases what it owns at its end, unless that was taken back', async () => {
    const log: string[] = [];
    await virtual(async () => {
      const loop = getRunningLoop();
      loop.own(() => log.push('first'));
      const keep = loop.own(() => log.push('kept'));
      loop.setExceptionHandler((_loop, { message }) => log.push(message));
      loop.own(() => {
        throw new Error('cannot be released');
      });
      loop.own(() => log.push('last'));
      keep();
      keep();
      await sleep(1);
      assert.deepEqual(log, []);
    });
    assert.deepEqual(log, ['first', 'what the loop owns could not be released', 'last']);
  });

  it('keeps a virtual clock still while an executor works', () =>
    virtual(async () => {
      const executor: Executor = {
        submit: (fn, ...args) => new Promise((resolve) => setTimeout(() => resolve(fn(...args)), 5)),
      };
      const work = createTask(() => getRunningLoop().runInExecutor(executor, () => getRunningLoop().time()));
      await sleep(1);
      assert.equal(work.done(), true);
      await work;
    }));

  it('hears signals until the handler is removed or the run ends', async () => {
    const outside = process.listenerCount('SIGWINCH');
    await virtual(async () => {
      const loop = getRunningLoop();
      const before = process.listenerCount('SIGWINCH');
      const heard = loop.createFuture<string>();
      loop.addSignalHandler('SIGWINCH', (text: string) => heard.setResult(text), 'heard');
      process.emit('SIGWINCH');
      assert.equal(await heard, 'heard');
      assert.equal(loop.removeSignalHandler('SIGWINCH'), true);
      assert.equal(loop.removeSignalHandler('SIGWINCH'), false);
      assert.equal(process.listenerCount('SIGWINCH'), before);
      loop.addSignalHandler('SIGWINCH', () => {});
      assert.throws(() => loop.addSignalHandler('SIGNONE' as never, () => {}), InvalidArgumentError);
      assert.throws(() => loop.addSignalHandler('SIGKILL', () => {}), { code: 'EINVAL' });
    });
    assert.equal(process.listenerCount('SIGWINCH'), outside);
  });

  it('is the program’s own outside of run', () => {
    assert.equal(getRunningLoop(), getRunningLoop());
    assert.equal(getRunningLoop().isClosed(), false);
  });
});

describe('ContextVar', () => {
  it('has a value for each task, inherited as it was at creation', () =>
    virtual(async () => {
      const user = new ContextVar('user', 'nobody');
      assert.equal(user.get(), 'nobody');
      user.set('ada');
      const child = createTask(async () => {
        const before = user.get();
        user.set('bob');
        await sleep(1);
        return [before, user.get()];
      });
      user.set('eve');
      assert.deepEqual(
        await child,
        ['eve', 'bob'].map((name, i) => (i === 0 ? 'ada' : name)),
      );
      assert.equal(user.get(), 'eve');
    }));

  it('goes back by token, once', () =>
    virtual(async () => {
      const user = new ContextVar<string>('user');
      assert.throws(() => user.get(), /'user' has no value/);
      assert.equal(user.get('fallback'), 'fallback');
      const token = user.set('ada');
      user.reset(token);
      assert.throws(() => user.get());
      assert.throws(() => user.reset(token), InvalidStateError);
      assert.throws(() => new ContextVar<string>('other').reset(user.set('x')), InvalidStateError);
    }));

  it('is kept by callbacks and copied contexts', () =>
    virtual(async () => {
      const user = new ContextVar('user', 'nobody');
      user.set('ada');
      const seen: string[] = [];
      getRunningLoop().callSoon(() => seen.push(user.get()));
      const context = copyContext();
      user.set('eve');
      context.run(() => {
        seen.push(user.get());
        user.set('inside');
      });
      await settled();
      assert.deepEqual(seen, ['ada', 'ada']);
      assert.deepEqual([context.get(user), user.get()], ['inside', 'eve']);
    }));
});
