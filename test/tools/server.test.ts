import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startRedis } from '../support/redis.ts';
import { startServer } from '../support/server.ts';

test('a private Redis answers on a free port and is gone after stop', async () => {
  const redis = await startRedis();
  try {
    assert.notEqual(redis.port, 6379);
    assert.equal(await ask(redis.port, 'PING\r\n'), '+PONG\r\n');
    assert.ok(existsSync(redis.directory));
  } finally {
    await redis.stop();
  }
  await redis.stop();
  assert.equal(existsSync(redis.directory), false);
  assert.throws(() => process.kill(redis.pid, 0), { code: 'ESRCH' });
  await assert.rejects(ask(redis.port, 'PING\r\n'), { code: 'ECONNREFUSED' });
});

test('a server that ends before it is ready is an error that shows what it printed', async () => {
  const start = startServer({
    command: process.execPath,
    args: () => ['-e', 'console.error("no such setting"); process.exit(3)'],
  });
  await assert.rejects(start, /ended before it was ready:\nno such setting/);
});

test('a server that never accepts is ended at its timeout', async () => {
  const start = startServer({
    command: process.execPath,
    args: () => ['-e', 'setInterval(() => {}, 1000)'],
    timeout: 0.2,
  });
  await assert.rejects(start, /not ready after 0.2 s/);
});

test('a start that fails is tried again with another port', async () => {
  const ports: number[] = [];
  const program = `net.createServer().on('error', () => process.exit(1)).listen(process.argv[1], '127.0.0.1')`;
  const server = await startServer({
    command: process.execPath,
    args: (port) => {
      ports.push(port);
      if (ports.length === 1) return ['-e', 'process.exit(1)'];
      return ['-e', program, String(port)];
    },
  });
  await server.stop();
  assert.equal(ports.length, 2);
  assert.equal(server.port, ports[1]);
});

function ask(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.setEncoding('utf8');
    socket.once('error', reject);
    socket.once('data', (text: string) => {
      socket.destroy();
      resolve(text);
    });
  });
}
