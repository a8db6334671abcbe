import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { Simul } from '../../../src/tasks/app.ts';
import { LamportClock } from '../../../src/tasks/control/lamport-clock.ts';
import { RedisConnection } from '../../../src/tasks/redis/connection.ts';
import { locateRedis } from '../../../src/tasks/redis/location.ts';
import { persist } from '../../../src/tasks/redis/persistence.ts';
import { Control } from '../../../src/worker/control.ts';
import { openLog } from '../../../src/worker/log.ts';
import { freePort } from '../../support/server.ts';
import { simul, WorkerCommand } from './command.ts';
import { DurableRedis } from './durable-redis.ts';
import { bulk, FakeServer } from './fake-server.ts';
import { Place, until } from './place.ts';

/** What cannot heal: the worker ends at once with one line, with and without `--no-retry`. */
async function endsWith(url: string, line: RegExp): Promise<void> {
  for (const flags of [[], ['--no-retry']]) {
    await using worker = new WorkerCommand(url, '--quiet', ...flags);
    assert.equal(await worker.end(), 1);
    assert.match(worker.said, /^simul: [^\n]*\n$/);
    assert.match(worker.said, line);
    assert.doesNotMatch(worker.said, /secret/);
  }
}

describe('a worker whose server', { concurrency: 2 }, () => {
  it('has another password ends with one line and code 1', async () => {
    await using place = await Place.open(['--requirepass', 'right']);
    const url = place.url().replace('//', '//:secret@');
    await endsWith(url, /Redis at redis:\/\/:\*\*\*@127\.0\.0\.1:\d+ refused the login: put user and password/);
  });

  it('has no such database ends with one line and code 1', async () => {
    await using place = await Place.open();
    await endsWith(place.url('/99'), /the database in redis:\S+\/99 does not exist: Redis has 16/);
  });

  it('is too old ends with one line and code 1', async () => {
    await using old = new FakeServer((command) => (command === 'INFO' ? bulk('redis_version:5.0.14\r\n') : '+OK\r\n'));
    await endsWith(`redis://127.0.0.1:${await old.listen()}`, /Redis 5\.0\.14 at \S+ is too old: Simul needs 6\.2/);
  });

  it('has a key of the wrong type ends with its name and code 1', async () => {
    await using place = await Place.open();
    await place.call('SET', 'celery', 'text');
    await endsWith(place.url(), /the worker stopped: .*the key "celery" .*delete or rename it/);
  });
});

/** A state that heals: how the server comes into it and out of it, and what is said of it. */
interface Ailment {
  readonly says: RegExp;
  begin(server: DurableRedis, call: Call): Promise<unknown>;
  end(server: DurableRedis, call: Call): Promise<unknown>;
}
type Call = (command: string, ...args: (string | number)[]) => Promise<unknown>;

const ailments: Record<string, Ailment> = {
  'is away': {
    says: /cannot reach Redis at redis:\S+: .*ECONNREFUSED/,
    begin: (server) => server.kill(),
    end: async (server) => server.start(),
  },
  'is loading': {
    says: /Redis at \S+ is still loading its data/,
    begin: async (_, call) => {
      await call('DEBUG', 'POPULATE', 300, 'filler', 2000);
      await call('CONFIG', 'SET', 'key-load-delay', 100_000);
      // Answered only when all is loaded.
      void call('DEBUG', 'RELOAD').catch(() => {});
    },
    end: (_, call) => call('CONFIG', 'SET', 'key-load-delay', 0),
  },
  'is a read-only replica': {
    says: /Redis at \S+ is a read-only replica: name the primary in the URL/,
    begin: async (_, call) => call('REPLICAOF', '127.0.0.1', await freePort()),
    end: (_, call) => call('REPLICAOF', 'NO', 'ONE'),
  },
  'is out of memory': {
    says: /Redis at \S+ is out of memory: raise its maxmemory/,
    begin: (_, call) => call('CONFIG', 'SET', 'maxmemory', 1),
    end: (_, call) => call('CONFIG', 'SET', 'maxmemory', 0),
  },
};

/** Runs `body` with a server in that state in whose queue a task waits. */
async function ailing(
  ailment: Ailment,
  body: (server: DurableRedis, heal: () => Promise<unknown>, app: Simul, id: string) => Promise<void>,
): Promise<void> {
  const debugging = ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'];
  debugging.push('--rdbcompression', 'no');
  await using server = new DurableRedis(await freePort(), debugging);
  server.start();
  // Each on a connection of its own: a command may have to pass one that takes long.
  const call: Call = async (command, ...args) => {
    const connection = new RedisConnection(locateRedis(server.url));
    try {
      return await connection.call(command, args);
    } finally {
      await connection.close();
    }
  };
  await persist(20, () => call('PING'));
  await using app = new Simul('client', { broker: `${server.url}?retry_timeout=30` });
  const { id } = await app.sendTask('add', [2, 3]);
  await ailment.begin(server, call);
  await body(server, () => ailment.end(server, call), app, id);
}

for (const [state, ailment] of Object.entries(ailments)) {
  describe(`a worker whose server ${state}`, () => {
    it('goes on when that is over', () =>
      ailing(ailment, async (server, heal, app, id) => {
        await using worker = new WorkerCommand(`${server.url}?retry_timeout=0.2`, '--quiet');
        await worker.says(/trying again: [^\n]*\n[^]*trying again/);
        for (const line of worker.said.trimEnd().split('\n')) assert.match(line, ailment.says);
        await heal();
        assert.equal(await app.AsyncResult(id).get({ timeout: 30 }), 5);
        assert.equal(await worker.end('SIGTERM'), 0, worker.said);
      }));

    it('ends with --no-retry, one line and code 1, and the task is there for the next', () =>
      ailing(ailment, async (server, heal, app, id) => {
        await using worker = new WorkerCommand(server.url, '--no-retry');
        assert.equal(await worker.end(), 1);
        const said = worker.said.split('\n').filter((line) => line.startsWith('simul: '));
        assert.equal(said.length, 1, worker.said);
        assert.match(said[0]!, ailment.says);
        await heal();
        await using next = new WorkerCommand(server.url);
        assert.equal(await app.AsyncResult(id).get({ timeout: 30 }), 5);
        assert.equal(await next.end('SIGTERM'), 0, next.said);
      }));
  });
}

test('simul inspect tells the answers beside a refusal and a silence', async () => {
  await using place = await Place.open();
  await using _ = new WorkerCommand(place.url(), '-n', 'good@test');
  await until(
    () => place.call<number>('PUBSUB', 'NUMPAT'),
    (count) => count === 1,
  );
  const { fanout } = await place.broker();
  const clock = new LamportClock();
  const log = await openLog({ level: 'critical', json: false });
  // Knows no command at all.
  const refuser = new Control({ fanout: fanout!, hostname: 'bad@test', clock, commands: new Map(), log });
  await refuser.start();
  try {
    const asked = ['inspect', 'ping', '-b', place.url(), '-d', 'bad@test,gone@test,good@test', '-t', '3'];
    const [plain, json, good] = await Promise.all([
      simul(...asked),
      simul(...asked, '--json'),
      simul('inspect', 'ping', '-b', place.url(), '-d', 'good@test', '-t', '30'),
    ]);
    assert.equal(plain.code, 1);
    assert.match(plain.stdout, /^good@test: OK pong$/m);
    assert.match(plain.stdout, /^bad@test: ERROR KeyError\('ping'\)$/m);
    assert.match(plain.stdout, /^gone@test: ERROR no answer within 3 s$/m);
    assert.match(plain.stderr, /^simul: no answer, or a refusal: bad@test, gone@test\n$/);
    assert.equal(json.code, 1);
    assert.deepEqual(JSON.parse(json.stdout), {
      'good@test': { ok: 'pong' },
      'bad@test': { error: "KeyError('ping')" },
      'gone@test': { error: 'no answer within 3 s' },
    });
    assert.deepEqual([good.code, good.stderr], [0, '']);
  } finally {
    await refuser.stop();
  }
});

test('with --no-retry a worker ends also while a task runs that does not listen', async () => {
  await using server = new DurableRedis(await freePort());
  server.start();
  await using app = new Simul('client', { broker: `${server.url}?retry_timeout=30` });
  await app.sendTask('endless');
  await using worker = new WorkerCommand(server.url, '--no-retry');
  await worker.says(/endless runs/);
  await server.kill();
  assert.equal(await worker.end(), 1);
  assert.match(worker.said, /^simul: the worker stopped: [^\n]*cannot reach Redis/m);
});

test('with --no-retry a worker ends when the server does not answer any more', async () => {
  await using place = await Place.open();
  await using app = new Simul('client', { broker: place.url() });
  await using worker = new WorkerCommand(place.url('?socket_timeout=0.3'), '--no-retry');
  await app.sendTask('endless');
  await worker.says(/endless runs/);
  process.kill(place.server.pid, 'SIGSTOP');
  try {
    assert.equal(await worker.end(), 1);
    assert.match(worker.said, /^simul: the worker stopped: [^\n]*it has not answered for 0.3 s/m);
  } finally {
    process.kill(place.server.pid, 'SIGCONT');
  }
});

test('a second SIGTERM ends a worker whose server does not answer', async () => {
  await using place = await Place.open();
  await using app = new Simul('client', { broker: place.url() });
  // It would wait for hours.
  await using worker = new WorkerCommand(place.url('?socket_timeout=9999'));
  await app.sendTask('endless');
  await worker.says(/endless runs/);
  process.kill(place.server.pid, 'SIGSTOP');
  try {
    worker.process.kill('SIGTERM');
    await worker.says(/SIGTERM: finishing the tasks under way; once more stops at once/);
    assert.equal(await worker.end('SIGTERM'), 143);
    assert.match(worker.said, /^simul: not stopped within 5 s: what it has claimed goes back when/m);
  } finally {
    process.kill(place.server.pid, 'SIGCONT');
  }
});

test('a worker whose server never answers at all', async (t) => {
  await using silent = new FakeServer(() => '');
  const url = `redis://127.0.0.1:${await silent.listen()}`;

  await t.test('ends with --no-retry, one line and code 1', async () => {
    await using worker = new WorkerCommand(`${url}?socket_timeout=0.3`, '--no-retry');
    assert.equal(await worker.end(), 1);
    assert.match(worker.said, /^simul: cannot reach Redis at \S+: it has not answered for 0.3 s \(socket_timeout\)\n$/);
  });

  await t.test('is ended by a second SIGTERM while it starts', async () => {
    silent.commands.length = 0;
    await using worker = new WorkerCommand(`${url}?socket_timeout=9999`);
    await until(
      async () => silent.commands.length,
      (count) => count > 0,
    );
    worker.process.kill('SIGTERM');
    await worker.says(/SIGTERM: finishing/);
    assert.equal(await worker.end('SIGTERM'), 143);
  });
});
