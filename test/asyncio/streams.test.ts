import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Report } from '../../src/entry/asyncio.ts';
import {
  CancelledError,
  createSubprocessExec,
  createSubprocessShell,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  IncompleteReadError,
  InvalidArgumentError,
  InvalidStateError,
  LimitOverrunError,
  openConnection,
  openUnixConnection,
  run,
  startServer,
  startUnixServer,
  StreamReader,
  StreamWriter,
  TimeoutError,
} from '../../src/entry/asyncio.ts';
import { BrokenError, ClosedError, SystemError } from '../../src/entry/errors.ts';
import { PIPE } from '../../src/entry/subprocess.ts';
import { settled } from '../../src/entry/testing.ts';
import { virtual } from './virtual.ts';

const text = (bytes: Buffer): string => bytes.toString();

describe('StreamReader', () => {
  const fed = (...pieces: string[]): StreamReader => {
    const reader = new StreamReader({ limit: 8 });
    for (const piece of pieces) reader.feedData(Buffer.from(piece));
    return reader;
  };

  it('reads what there is, up to n, and waits for the first byte', () =>
    virtual(async () => {
      const reader = fed('abc', 'def');
      assert.equal(text(await reader.read(2)), 'ab');
      assert.equal(text(await reader.read(3)), 'cde');
      assert.equal(text(await reader.read(10)), 'f');
      const later = reader.read(10);
      await settled();
      reader.feedData(Buffer.from('xyz'));
      assert.equal(text(await later), 'xyz');
      assert.equal((await reader.read(0)).length, 0);
    }));

  it('reads to the end', () =>
    virtual(async () => {
      const reader = fed('abc');
      const all = reader.read();
      await settled();
      reader.feedData(Buffer.from('def'));
      assert.equal(reader.atEof(), false);
      reader.feedEof();
      assert.equal(text(await all), 'abcdef');
      assert.equal(reader.atEof(), true);
      assert.equal((await reader.read(5)).length, 0);
      assert.equal((await reader.readline()).length, 0);
      assert.throws(() => reader.feedData(Buffer.from('x')), InvalidStateError);
    }));

  it('reads lines, the last perhaps without its newline', () =>
    virtual(async () => {
      const reader = fed('ab\ncd', '\nef');
      reader.feedEof();
      const lines: string[] = [];
      for await (const line of reader) lines.push(text(line));
      assert.deepEqual(lines, ['ab\n', 'cd\n', 'ef']);
    }));

  it('reads exactly n bytes, or tells what came instead', () =>
    virtual(async () => {
      const reader = fed('abc');
      assert.equal(text(await reader.readexactly(2)), 'ab');
      assert.equal((await reader.readexactly(0)).length, 0);
      const more = reader.readexactly(5);
      await settled();
      reader.feedData(Buffer.from('de'));
      reader.feedEof();
      await assert.rejects(more, (error) => {
        assert.ok(error instanceof IncompleteReadError);
        assert.deepEqual([text(error.partial), error.expected], ['cde', 5]);
        return error.message === '3 bytes read on a total of 5 expected bytes';
      });
    }));

  it('reads more than its limit when asked for exactly that much', () =>
    virtual(async () => {
      const log: string[] = [];
      const flow = { pause: () => log.push('pause'), resume: () => log.push('resume') };
      const reader = new StreamReader({ limit: 4, flow });
      reader.feedData(Buffer.alloc(9));
      const exact = reader.readexactly(20);
      await settled();
      reader.feedData(Buffer.alloc(11));
      assert.equal((await exact).length, 20);
      assert.equal(log[1], 'resume');
    }));

  it('reads until one of several separators, also across seams', () =>
    virtual(async () => {
      const reader = fed('ab\r');
      const until = reader.readuntil(['\r\n', ';']);
      await settled();
      reader.feedData(Buffer.from('\nc;d'));
      assert.equal(text(await until), 'ab\r\n');
      assert.equal(text(await reader.readuntil(['\r\n', ';'])), 'c;');
      reader.feedEof();
      await assert.rejects(
        reader.readuntil(';'),
        (error) => error instanceof IncompleteReadError && text(error.partial) === 'd',
      );
      await assert.rejects(reader.readuntil(''), InvalidArgumentError);
    }));

  it('refuses what is longer than the limit and keeps it', () =>
    virtual(async () => {
      const reader = fed('0123456789\nab\n');
      await assert.rejects(reader.readuntil(), (error) => error instanceof LimitOverrunError && error.consumed === 11);
      assert.equal(text(await reader.readexactly(11)), '0123456789\n');
      assert.equal(text(await reader.readline()), 'ab\n');
      const endless = fed('0123456789');
      await assert.rejects(endless.readuntil(), /Separator is not found, and chunk exceed the limit/);
      assert.equal(text(await endless.read(99)), '0123456789');
    }));

  it('drops a line that is too long, so that the next one can be read', () =>
    virtual(async () => {
      const reader = fed('0123456789\nab\n');
      await assert.rejects(reader.readline(), LimitOverrunError);
      assert.equal(text(await reader.readline()), 'ab\n');
    }));

  it('holds the source up while twice the limit waits', () =>
    virtual(async () => {
      const log: string[] = [];
      const reader = new StreamReader({
        limit: 4,
        flow: { pause: () => log.push('pause'), resume: () => log.push('resume') },
      });
      reader.feedData(Buffer.alloc(8));
      assert.deepEqual(log, []);
      reader.feedData(Buffer.alloc(1));
      assert.deepEqual(log, ['pause']);
      await reader.read(4);
      assert.deepEqual(log, ['pause']);
      await reader.read(1);
      assert.deepEqual(log, ['pause', 'resume']);
    }));

  it('loses nothing when a read is cancelled or late, and takes one reader at a time', () =>
    virtual(async () => {
      const reader = fed();
      await assert.rejects(reader.read(5, { timeout: 1 }), TimeoutError);
      await assert.rejects(reader.readline({ timeout: 1 }), TimeoutError);
      const task = createTask(() => reader.readexactly(3));
      await settled();
      await assert.rejects(reader.read(1), InvalidStateError);
      await assert.rejects(reader.readline(), InvalidStateError);
      task.cancel();
      await assert.rejects(async () => task, CancelledError);
      reader.feedData(Buffer.from('abc'));
      assert.equal(text(await reader.read(5)), 'abc');
    }));

  it('throws what broke the stream, after what came before', () =>
    virtual(async () => {
      const reader = fed('ab');
      const boom = new Error('boom');
      reader.setException(boom);
      assert.equal(reader.exception(), boom);
      assert.equal(text(await reader.read(5)), 'ab');
      await assert.rejects(reader.read(5), boom);
      await assert.rejects(reader.readline(), boom);
      await assert.rejects(reader.readexactly(1), boom);
      const waiting = fed();
      const reads = createTask(() => waiting.read(5));
      await settled();
      waiting.setException(boom);
      await assert.rejects(async () => reads, boom);
    }));

  it('refuses bad sizes', () =>
    virtual(async () => {
      assert.throws(() => new StreamReader({ limit: 0 }), InvalidArgumentError);
      await assert.rejects(fed().readexactly(-1), InvalidArgumentError);
      await assert.rejects(fed().read(1.5), InvalidArgumentError);
    }));
});

const echo = async (reader: StreamReader, writer: StreamWriter): Promise<void> => {
  for (let data = await reader.read(65_536); data.length > 0; data = await reader.read(65_536)) {
    writer.write(data);
    await writer.drain();
  }
};

describe('connections', () => {
  it('carry bytes both ways over TCP', () =>
    run(async () => {
      await using server = await startServer(echo);
      const [reader, writer] = await openConnection('localhost', server.port!);
      const payload = randomBytes(2_000_000);
      const sending = createTask(async () => {
        for (let at = 0; at < payload.length; at += 50_000) {
          writer.write(payload.subarray(at, at + 50_000));
          await writer.drain();
        }
        writer.writeEof();
      });
      assert.deepEqual(await reader.read(), payload);
      await sending;
      assert.match(writer.getExtraInfo('peername')!, new RegExp(`:${server.port}$`));
      assert.match(writer.getExtraInfo('sockname')!, /:\d+$/);
      writer.close();
      await writer.waitClosed();
      assert.equal(writer.isClosing(), true);
    }));

  it('carry bytes over UNIX sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simul-streams-'));
    const path = join(folder, 'echo');
    await run(async () => {
      await using server = await startUnixServer(echo, path);
      assert.equal(server.address, path);
      const [reader, writer] = await openUnixConnection(path);
      writer.writelines(['one\n', Buffer.from('two\n')]);
      assert.equal(text(await reader.readline()) + text(await reader.readline()), 'one\ntwo\n');
      writer.close();
    });
    assert.equal(existsSync(path), false);
    rmSync(folder, { recursive: true });
  });

  it('serve many at once, each in a task', () =>
    run(async () => {
      const tasks = new Set<unknown>();
      await using server = await startServer(async (reader, writer) => {
        tasks.add(currentTask());
        writer.write(await reader.readline());
      });
      const ask = (i: number) => async (): Promise<string> => {
        const [reader, writer] = await openConnection('localhost', server.port!);
        await using _ = writer;
        writer.write(`${i}\n`);
        return text(await reader.read());
      };
      const answers = await gather(Array.from({ length: 50 }, (_, i) => ask(i)));
      assert.deepEqual(
        answers,
        Array.from({ length: 50 }, (_, i) => `${i}\n`),
      );
      assert.equal(tasks.size, 50);
    }));

  it('make the writer wait for a slow reader', () =>
    run(async () => {
      const gate = getRunningLoop().createFuture<void>();
      await using server = await startServer(async (reader) => {
        await gate;
        while ((await reader.read(1_000_000)).length > 0);
      });
      const [, writer] = await openConnection('localhost', server.port!);
      await using _ = writer;
      for (let i = 0; i < 20; i++) writer.write(Buffer.alloc(1_000_000));
      const draining = createTask(() => writer.drain());
      await settled();
      assert.equal(draining.done(), false, 'more than the buffers of the kernel and ours');
      gate.setResult();
      await draining;
    }));

  it('may break off without ending the server', async () => {
    const seen: Report[] = [];
    await run(async () => {
      getRunningLoop().setExceptionHandler((_loop, report) => seen.push(report));
      const handled = getRunningLoop().createFuture<void>();
      await using server = await startServer(
        async (reader) => {
          try {
            await reader.readline();
          } finally {
            handled.setResult();
          }
        },
        { limit: 8 },
      );
      const [, writer] = await openConnection('localhost', server.port!);
      writer.write('far too long a line for this one');
      await handled;
      await settled();
      assert.equal(server.isServing(), true);
    });
    assert.ok(seen[0]?.exception instanceof LimitOverrunError);
    assert.deepEqual(
      seen.map(({ message, unhandled }) => [message, unhandled]),
      [['Unhandled exception in clientConnected', undefined]],
    );
  });

  it('are refused with the system’s error', () =>
    run(async () => {
      const server = await startServer(() => {});
      const { port } = server;
      server.close();
      await server.waitClosed();
      await assert.rejects(
        openConnection('127.0.0.1', port!),
        (error) => error instanceof SystemError && error.code === 'ECONNREFUSED',
      );
      await assert.rejects(openUnixConnection(join(tmpdir(), 'no-such-socket')), { code: 'ENOENT' });
      await assert.rejects(openConnection('localhost', 70_000), InvalidArgumentError);
      await assert.rejects(openConnection(5 as never, 1), InvalidArgumentError);
      await assert.rejects(startServer(5 as never), InvalidArgumentError);
      await using taken = await startServer(() => {});
      await assert.rejects(
        startServer(() => {}, { port: taken.port }),
        { code: 'EADDRINUSE' },
      );
    }));

  it('throw at drain when the peer has gone, and at write when closed here', () =>
    run(async () => {
      await using server = await startServer(async (reader, writer) => {
        await reader.read(1);
        writer.getExtraInfo('socket').resetAndDestroy();
      });
      const [reader, writer] = await openConnection('127.0.0.1', server.port!);
      writer.write('x');
      assert.equal(writer.canWriteEof(), true);
      await assert.rejects(reader.readline(), { code: 'ECONNRESET' });
      await assert.rejects(writer.drain(), (error) => error instanceof SystemError || error instanceof BrokenError);
      writer.close();
      assert.throws(() => writer.write('x'), ClosedError);
      await assert.rejects(writer.waitClosed(), { code: 'ECONNRESET' });
    }));

  it('are closed when their handler ends, and a failing handler is reported', () =>
    run(async () => {
      const reports: string[] = [];
      getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
      await using server = await startServer(async (_reader, writer) => {
        writer.write('bye');
        throw new Error('boom');
      });
      const [reader, writer] = await openConnection('localhost', server.port!);
      await reader.read().catch(() => {});
      writer.close();
      server.close();
      await server.waitClosed();
      assert.deepEqual(reports, ['Unhandled exception in clientConnected']);
    }));

  it('whose handler fails at the end of the run are reported once', async () => {
    const reports: Report[] = [];
    await run(async () => {
      getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
      const server = await startServer(async (reader, writer) => {
        writer.write('x');
        await reader.read().finally(() => {
          throw new Error('failed in leaving');
        });
      });
      const [reader] = await openConnection('localhost', server.port!);
      await reader.read(1);
    });
    assert.deepEqual(
      reports.map(({ message, unhandled }) => [message, unhandled]),
      [['Unhandled exception in clientConnected', undefined]],
    );
  });

  it('end with the run, servers and clients that were left open included', async () => {
    let socket!: Socket;
    await run(async () => {
      const server = await startServer(echo);
      const [reader, writer] = await openConnection('localhost', server.port!);
      socket = writer.getExtraInfo('socket');
      createTask(() => server.serveForever());
      writer.write('x');
      await reader.read(1);
    });
    assert.equal(socket.destroyed, true);
  });

  it('are cancelled while connecting and while serving', () =>
    run(async () => {
      await using server = await startServer(echo);
      const serving = createTask(() => server.serveForever());
      const connecting = createTask(async () => {
        currentTask()!.cancel();
        await openConnection('localhost', server.port!);
      });
      await assert.rejects(async () => connecting, CancelledError);
      serving.cancel();
      await assert.rejects(async () => serving, CancelledError);
      assert.equal(server.isServing(), false);
      await assert.rejects(server.serveForever(), InvalidStateError);
    }));
});

describe('subprocesses', () => {
  it('have streams of this module', () =>
    run(async () => {
      await using child = await createSubprocessExec(['cat'], { stdin: PIPE, stdout: PIPE });
      child.stdin!.write('one\ntwo\n');
      await child.stdin!.drain();
      assert.equal(text(await child.stdout!.readline()), 'one\n');
      child.stdin!.close();
      assert.equal(text(await child.stdout!.read()), 'two\n');
      assert.equal(await child.wait(), 0);
      await using shell = await createSubprocessShell('exit 3');
      assert.equal(await shell.wait(), 3);
    }));
});
