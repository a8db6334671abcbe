import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { InvalidArgumentError, TimeoutError } from '../../src/entry/errors.ts';
import { close, read } from '../../src/entry/os.ts';
import {
  AF_UNIX,
  createConnection,
  createServer,
  recvFds,
  sendFds,
  socket,
  socketpair,
} from '../../src/entry/socket.ts';
import { closing } from './closing.ts';

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'simul-unix-'))));
after(() => rmSync(folder, { recursive: true }));

describe('a UNIX socket', () => {
  test('serves a path and removes its file', async () => {
    const path = join(folder, 'plain');
    using server = await createServer(path);
    using client = await createConnection(path);
    const [served, peer] = await server.accept();
    using _ = served;
    assert.equal(peer, '');
    assert.equal(client.getpeername(), path);
    await client.sendall('x');
    assert.equal((await served.recv(5)).toString(), 'x');
    server.close();
    assert.equal(existsSync(path), false);
  });

  test('serves a name without a file', async () => {
    using server = await createServer('\0simul-abstract-test');
    assert.equal(server.getsockname(), '\0simul-abstract-test');
    using _ = await createConnection('\0simul-abstract-test');
    await assert.rejects(createServer('\0simul-abstract-test'), {
      code: 'EADDRINUSE',
      message: "EADDRINUSE: address already in use, bind '@simul-abstract-test'",
    });
  });

  test('replaces the file of a dead server, not that of a living one, nor another file', async () => {
    const path = join(folder, 'stale');
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    assert.equal(existsSync(path), true);
    using server = await createServer(path);
    assert.equal(server.getsockname(), path);
    await assert.rejects(createServer(path), { code: 'EADDRINUSE', address: path });
    using _ = await createConnection(path);
    using bound = socket(AF_UNIX);
    const early = join(folder, 'bound-only');
    await bound.bind(early);
    await assert.rejects(createServer(early), { code: 'EADDRINUSE' });
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    await assert.rejects(createServer(file), { code: 'EADDRINUSE' });
    assert.equal(readFileSync(file, 'utf8'), 'precious');
  });

  test('leaves the file of a successor alone', async () => {
    const path = join(folder, 'successor');
    const first = await createServer(path);
    renameSync(path, `${path}.old`);
    using second = await createServer(path);
    first.close();
    assert.equal(existsSync(path), true);
    second.close();
    assert.equal(existsSync(path), false);
    rmSync(`${path}.old`);
  });

  test('waits while the backlog is full', async () => {
    const path = join(folder, 'full');
    using server = await createServer(path, { backlog: 0 });
    using first = await createConnection(path);
    await assert.rejects(createConnection(path, { timeout: 0.05 }), TimeoutError);
    const second = createConnection(path, { timeout: 5 });
    (await server.accept())[0].close();
    using _ = closing(await second, first);
  });

  test('passes descriptors', async () => {
    const [a, b] = socketpair();
    using _ = closing(a, b);
    writeFileSync(join(folder, 'data'), 'contents');
    const fd = openSync(join(folder, 'data'), 'r');
    await sendFds(a, 'take', [fd, fd]);
    closeSync(fd);
    const [data, fds] = await recvFds(b, 100, 2);
    assert.equal(data.toString(), 'take');
    assert.equal(fds.length, 2);
    assert.equal((await read(fds[0]!, 100)).toString(), 'contents');
    for (const each of fds) close(each);
    a.close();
    assert.deepEqual(await recvFds(b, 100, 2), [Buffer.alloc(0), []]);
  });

  test('refuses a path that is too long or no path', async () => {
    const path = join(folder, 'x'.repeat(120));
    await assert.rejects(createServer(path), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      return /path: expected a path of at most 107 bytes \(this has \d+\)/.test(error.message);
    });
    using client = socket(AF_UNIX);
    await assert.rejects(client.connect(join(folder, 'nobody')), { code: 'ENOENT', address: join(folder, 'nobody') });
    await assert.rejects(client.connect(5 as unknown as string), InvalidArgumentError);
  });
});
