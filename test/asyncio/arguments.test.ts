import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import {
  formatTaskTree,
  InvalidArgumentError,
  openConnection,
  run,
  startServer,
  StreamReader,
  StreamWriter,
} from '../../src/entry/asyncio.ts';
import { virtual } from './virtual.ts';

describe('streams', () => {
  it('refuse bad options before anything opens', () =>
    run(async () => {
      const bad: Record<string, unknown>[] = [
        { port: 70_000 },
        { port: 'abc' },
        { port: NaN },
        { host: 5 },
        { backlog: NaN },
        { limit: 0 },
      ];
      for (const options of bad) {
        await assert.rejects(
          startServer(() => {}, options),
          { argument: Object.keys(options)[0] },
        );
      }
      await assert.rejects(openConnection('localhost', 1, { limit: -1 }), { argument: 'limit' });
      await using server = await startServer(() => {});
      await assert.rejects(async () => server.waitClosed({ timeout: NaN }), InvalidArgumentError);
      assert.doesNotMatch(formatTaskTree(), /listening/);
    }));

  it('refuse bad reads and writes', () =>
    virtual(async () => {
      for (const timeout of [NaN, -1, '0.01' as never]) {
        const reader = new StreamReader();
        const calls = [
          () => reader.read(1, { timeout }),
          () => reader.read(-1, { timeout }),
          () => reader.readexactly(1, { timeout }),
          () => reader.readline({ timeout }),
          () => reader.readuntil('x', { timeout }),
        ];
        for (const call of calls) await assert.rejects(async () => call(), { argument: 'timeout' });
      }
      await assert.rejects(async () => new StreamReader().readuntil([]), { argument: 'separator' });
      await assert.rejects(async () => new StreamReader().readuntil(5 as never), { argument: 'separator' });
      assert.throws(() => new StreamWriter(new PassThrough()).writelines(5 as never), { argument: 'pieces' });
    }));
});
