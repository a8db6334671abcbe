import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { BrokenError, CancelledError, ClosedError, EncodeError, InvalidArgumentError } from '../../src/base/errors.ts';
import type { Host } from '../../src/entry/callable.ts';
import { ProcessHost, ThreadHost, fromModule, transfer } from '../../src/entry/callable.ts';
import type { PaymentError } from './functions.ts';
import * as functions from './functions.ts';

const url = new URL('./functions.js', import.meta.url);

for (const Kind of [ThreadHost, ProcessHost]) {
  describe(Kind.name, () => {
    test('runs portable, exported and plain functions elsewhere', async () => {
      await using host = new Kind();
      assert.equal(await host.call(functions.triple, [4]), 12);
      const { resize } = fromModule<typeof functions>(url);
      assert.equal(await host.call(resize, ['a.png', 3]), 'a.png@3');
      assert.equal(await host.call((x: number) => x * x, [12]), 144);
      const there = await host.call(functions.whereAmI, []);
      assert.equal(there.worker, true);
      assert.equal(there.pid === process.pid, Kind === ThreadHost);
    });

    test('keeps many calls in flight and answers each its own', async () => {
      await using host = new Kind();
      const calls = Array.from({ length: 500 }, (_, i) =>
        i % 3 === 0 ? host.call((x: number[]) => x[0]!, [[i]]) : host.call((x: number) => x, [i]),
      );
      assert.deepEqual(
        await Promise.all(calls),
        calls.map((_, i) => i),
      );
      assert.equal(host.running, 0);
    });

    test('carries structured values', async () => {
      await using host = new Kind();
      const value = {
        map: new Map([[1, new Set(['a'])]]),
        date: new Date(0),
        big: 2n ** 70n,
        bytes: new Float64Array([1, 2]),
        none: undefined,
        error: new RangeError('inside'),
      };
      assert.deepEqual(await host.call((v: typeof value) => v, [value]), value);
    });

    test('takes arguments at the call, whatever becomes of them afterwards', async () => {
      await using host = new Kind();
      const list = [1, 2];
      const sum = host.call((xs: number[]) => xs.reduce((a, b) => a + b, 0), [list]);
      list.push(100);
      assert.equal(await sum, 3);
    });

    test('refuses what cannot cross and names the path', async () => {
      await using host = new Kind();
      const take = (value: unknown) => value;
      await assert.rejects(host.call(take, [{ on: [1, { done: () => 1 }] }]), (error: Error) => {
        assert(error instanceof EncodeError);
        assert.equal(error.path, 'arguments[0].on[1].done');
        return true;
      });
      await assert.rejects(host.call(take, [new Map([['key', Symbol('s')]])]), { path: 'arguments[0].get("key")' });
      await assert.rejects(host.call(take, [new WeakMap()]), { path: 'arguments[0]' });
      await assert.rejects(
        host.call(() => ({ list: [() => 1] }), []),
        (error: Error) => {
          assert(error instanceof EncodeError);
          assert.equal(error.path, 'result.list[0]');
          return true;
        },
      );
      await assert.rejects(host.call(Math.max, [1]), InvalidArgumentError);
      assert.equal(await host.call(functions.triple, [1]), 3, 'and goes on');
    });

    test('brings errors back with every property and both stacks', async () => {
      await using host = new Kind();
      async function checkout(): Promise<void> {
        await host.call(functions.pay, [-5]);
      }
      await assert.rejects(checkout, (thrown: Error) => {
        const error = thrown as PaymentError;
        assert.equal(error.name, 'PaymentError');
        assert.equal(error.message, 'the card was refused');
        assert.equal(error.code, 'E_PAYMENT');
        assert.equal(error.amount, -5);
        assert.equal(error.onRetry, '[Function: onRetry]');
        assert(error.cause instanceof InvalidArgumentError);
        assert.equal(error.cause.received, -5);
        const [local, remote] = error.stack!.split(`--- in ${host.name} ---`);
        assert.match(
          local!,
          /^PaymentError: the card was refused\n(?!.*calls\.[jt]s).*at async checkout .*host\.test\.[jt]s/s,
        );
        assert.match(remote!, /functions\.[jt]s/);
        return true;
      });
      await assert.rejects(host.call(functions.throwValue, ['text']), (value) => value === 'text');
    });

    test('a free variable of a plain function says what to do', async () => {
      await using host = new Kind();
      const outside = 1;
      await assert.rejects(
        host.call((x: number) => x + outside, [1]),
        /outside is not defined: .*portable\(import\.meta, name, fn\)/,
      );
    });

    test('moves buffers there and back', async () => {
      await using host = new Kind();
      const buffer = new ArrayBuffer(1024);
      const back = host.call(functions.fill, [transfer(buffer, [buffer])]);
      assert.equal(buffer.byteLength, 0, 'detached at the call');
      assert.deepEqual(new Uint8Array((await back).buffer), new Uint8Array(1024).fill(7));
      const pixels = new ArrayBuffer(8);
      assert.equal(await host.call(functions.size, [{ pixels: transfer(pixels, [pixels]) }]), 8);
      assert.equal(pixels.byteLength, 0, 'also inside a value');
    });

    test('an abort rejects at once and reaches the function', async () => {
      await using host = new Kind();
      const controller = new AbortController();
      const call = host.call(functions.untilAborted, [], { signal: controller.signal });
      await host.call(functions.untilStarted, []);
      controller.abort(new Error('enough'));
      await assert.rejects(call, (error: Error) => {
        assert(error instanceof CancelledError);
        assert.equal((error.cause as Error).message, 'enough');
        return true;
      });
      assert.deepEqual(await host.call(functions.abortReason, []), { name: 'Error', message: 'enough' });
      await assert.rejects(host.call(functions.triple, [1], { signal: controller.signal }), CancelledError);
    });

    test('a call given up before its function is there does not run', async () => {
      await using host = new Kind();
      const controller = new AbortController();
      const call = host.call(functions.untilAborted, [], { signal: controller.signal });
      controller.abort();
      await assert.rejects(call, CancelledError);
      assert.equal(await host.call(functions.countStarts, []), 0);
      assert.equal(host.running, 0, 'both are over');
    });

    test('close waits for what runs and takes no more', async () => {
      const host = new Kind();
      const call = host.call(functions.wait, [0.02]);
      const closing = host.close();
      await assert.rejects(host.call(functions.triple, [1]), ClosedError);
      assert.equal(await call, 'waited');
      await closing;
      await host.close();
      assert.deepEqual(await host.exited, { why: 'closed', code: 0, signal: null });
    });

    test('a bounded close gives up waiting, not the work', async () => {
      const host = new Kind();
      const call = host.call(functions.never, []);
      const broken = assert.rejects(call, BrokenError);
      await assert.rejects(host.close({ timeout: 0.01 }), { code: 'SIMUL_TIMEOUT' });
      assert.equal((await host.terminate()).why, 'terminated');
      await broken;
    });

    test('terminate ends what runs', async () => {
      const host = new Kind();
      const call = assert.rejects(host.call(functions.never, []), {
        name: 'BrokenError',
        message: `${host.name} was terminated`,
      });
      assert.equal((await host.terminate()).why, 'terminated');
      await call;
      await assert.rejects(host.call(functions.triple, [1]), ClosedError);
    });

    test('an exit of its own breaks its calls and names the code', async () => {
      const host = new Kind();
      const other = assert.rejects(host.call(functions.never, []), { message: `${host.name} exited with code 7` });
      await assert.rejects(host.call(functions.exit, [7]), BrokenError);
      await other;
      assert.deepEqual(await host.exited, { why: 'died', code: 7, signal: null });
      await assert.rejects(host.call(functions.triple, [1]), { message: `${host.name} exited with code 7` });
      await host.close();
    });
  });
}

test('a process killed by the system breaks its calls and names the signal', async () => {
  const host = new ProcessHost();
  const call = host.call(functions.never, []);
  process.kill(host.pid!, 'SIGKILL');
  await assert.rejects(call, (error: Error) => {
    assert(error instanceof BrokenError);
    assert.equal(error.message, `${host.name} was killed by SIGKILL`);
    return true;
  });
  assert.deepEqual(await host.exited, { why: 'died', code: null, signal: 'SIGKILL' });
});

test('a busy thread and a busy process can be terminated', async () => {
  for (const host of [new ThreadHost(), new ProcessHost()]) {
    await host.call(functions.triple, [1]);
    const spinning = assert.rejects(host.call(functions.spin, []), BrokenError);
    assert.equal((await host.terminate()).why, 'terminated');
    await spinning;
  }
});

test('an uncaught exception in a thread is the cause of its death', async () => {
  const host = new ThreadHost();
  await assert.rejects(host.call(functions.throwLater, []), (error: Error) => {
    assert.equal(error.message, `${host.name} died of an uncaught exception: TypeError: nobody catches this`);
    assert(error.cause instanceof TypeError);
    return true;
  });
});

test('a process that cannot start says why', async () => {
  const host = new ProcessHost({ cwd: '/no/such/folder' });
  await assert.rejects(host.call(functions.triple, [1]), /process \(not started\) could not start: .*ENOENT/);
  assert.equal((await host.exited).why, 'died');
  await host.close();
});

test('buffers that cannot be moved are refused', () => {
  const shared = new SharedArrayBuffer(8);
  assert.throws(() => transfer({ shared }, [shared]), /buffers\[0\]: expected an ArrayBuffer/);
  assert.throws(() => transfer(3 as unknown as object, []), /value: expected an object/);
});

test('environment and Node options reach both kinds', async () => {
  const env = { ...process.env, SIMUL_TEST_VALUE: 'set' };
  await using thread = new ThreadHost({ env });
  await using child = new ProcessHost({ env, execArgv: ['--stack-size=900'] });
  const read = () => [process.env['SIMUL_TEST_VALUE'], process.execArgv.length];
  assert.equal((await thread.call(read, []))[0], 'set');
  assert.deepEqual(await child.call(read, []), ['set', 1]);
});

test(
  'a hundred hosts opened and closed leave no thread, process or descriptor',
  { skip: !existsSync('/proc') },
  async () => {
    const openAndClose = async (threads: number) => {
      const hosts: Host[] = [new ProcessHost(), ...Array.from({ length: threads }, () => new ThreadHost())];
      for (const host of hosts) assert.equal(await host.call((x: number) => x + 1, [threads]), threads + 1);
      const during = inUse();
      await Promise.all(hosts.map((host) => host.close()));
      return during;
    };
    await openAndClose(1);
    const before = await settled();
    for (let round = 0; round < 10; round++) {
      const during = await openAndClose(9);
      assert(during.threads >= before.threads + 9 && during.descriptors > before.descriptors, 'the counts would tell');
    }
    assert.deepEqual(await settled(), before);
  },
);

function inUse(): { threads: number; descriptors: number } {
  return { threads: readdirSync('/proc/self/task').length, descriptors: readdirSync('/proc/self/fd').length };
}

// libuv closes a handle at the end of the turn in which its owner let it go.
async function settled(): Promise<{ threads: number; descriptors: number }> {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
  return inUse();
}
