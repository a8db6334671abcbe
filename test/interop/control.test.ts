import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileWithText } from '../support/file.ts';
import { sharedFleet, wait } from './fleet.ts';

describe('remote control between Celery and Simul:', () => {
  const shared = sharedFleet(async (fleet) => {
    const simul = await fleet.simulWorker({ name: 'simul@test', queues: ['simul'], concurrency: 3 });
    // With mingle and gossip: it says hello to the Simul worker when it starts, and hears its events after that.
    const python = await fleet.pythonWorker({ name: 'python@test', queues: ['python'], flags: [] });
    const client = fleet.pythonClient();
    await client.run("inspect = app.control.inspect(destination=['simul@test'], timeout=20)");
    return { fleet, simul, python, client };
  });

  /** What the Simul worker answers to Celery's command line. */
  const ask = async <T>(...what: string[]): Promise<T> => {
    const { code, output } = await shared().fleet.celery('inspect', ...what, '-d', 'simul@test', '--json');
    assert.equal(code, 0, output);
    return (JSON.parse(output) as Record<string, T>)['simul@test']!;
  };

  it('a Celery worker that starts finds the Simul worker', () => {
    assert.match(shared().python.output, /mingle: sync with 1 nodes/);
    assert.match(shared().python.output, /mingle: sync complete/);
  });

  it('celery inspect ping and celery status see both', async () => {
    const { fleet } = shared();
    const [ping, status, one] = await Promise.all([
      fleet.celery('inspect', 'ping', '--timeout', '3'),
      fleet.celery('status', '--timeout', '3'),
      fleet.celery('inspect', 'ping', '-d', 'simul@test', '--timeout', '20'),
    ]);
    for (const { code, output } of [ping, status]) {
      assert.equal(code, 0, output);
      for (const name of ['simul@test', 'python@test']) assert.match(output, new RegExp(`->\\s+${name}: OK`));
      assert.match(output, /2 nodes online/);
    }
    assert.match(ping.output, /simul@test: OK\n\s+pong/);
    assert.match(one.output, /1 node online/);
  });

  it('celery inspect registered, active, stats and active_queues see the Simul worker and a task that runs', async () => {
    const { fleet, simul } = shared();
    const path = fleet.file();
    const result = await fleet.client.sendTask('interop.held', [path], { queue: 'simul' });
    await fileWithText(path);
    const [registered, active, stats, queues] = await Promise.all([
      ask<string[]>('registered'),
      ask<Record<string, unknown>[]>('active'),
      ask<{ pid: number; pool: { 'max-concurrency': number }; total: Record<string, number> }>('stats'),
      ask<{ name: string }[]>('active_queues'),
    ]);
    assert.ok(registered.includes('interop.add'), registered.join());
    assert.equal(active.length, 1);
    const { id, name, args, time_start: time, worker_pid: pid } = active[0]!;
    assert.deepEqual([id, name, args, pid], [result.id, 'interop.held', [path], simul.pid]);
    assert.equal(typeof time, 'number');
    assert.deepEqual([stats.pid, stats.pool['max-concurrency'], stats.total['interop.held']], [simul.pid, 3, 1]);
    assert.deepEqual(
      queues.map((queue) => queue.name),
      ['simul'],
    );
    const found = await shared().client.run<Record<string, Record<string, [string]>>>(
      `inspect.query_task(${JSON.stringify(result.id)})`,
    );
    assert.equal(found['simul@test']![result.id]![0], 'active');
    const ended = await fleet.celery('control', 'terminate', 'SIGTERM', result.id, '-d', 'simul@test');
    assert.match(ended.output, /terminate: /);
    await assert.rejects(result.get(wait), { name: 'TaskRevokedError' });
  });

  it('everything else that Celery can inspect is answered', async () => {
    const { client } = shared();
    for (const what of ['scheduled', 'reserved', 'active']) {
      assert.deepEqual(await client.run(`inspect.${what}()`), { 'simul@test': [] }, what);
    }
    for (const what of ['revoked', 'report', 'conf', 'clock']) {
      const answer = await client.run<Record<string, unknown>>(`inspect.${what}()`);
      assert.deepEqual(Object.keys(answer), ['simul@test'], what);
    }
    const unknown = await client.run<Record<string, string>[]>(
      "app.control.broadcast('pool_grow', {'n': 1}, reply=True, destination=['simul@test'], timeout=20)",
    );
    assert.match(JSON.stringify(unknown), /error/);
  });

  it('a task that is put off is scheduled', async () => {
    const { client } = shared();
    const [id, found] = await client.run<[string, Record<string, { eta: string; request: { id: string } }[]>]>(
      "r = add.apply_async((1, 1), queue='simul', countdown=600)",
      'import time',
      'deadline = time.time() + 20',
      "while not inspect.scheduled()['simul@test'] and time.time() < deadline: pass",
      '[r.id, inspect.scheduled()]',
    );
    assert.equal(found['simul@test']![0]?.request.id, id);
  });

  it('simul inspect ping, registered, active and stats see the Celery worker', async () => {
    const { fleet, python } = shared();
    const question = async (what: string) => {
      const { code, output } = await fleet.simul('inspect', what, '-d', 'python@test', '-t', '20', '--json');
      assert.equal(code, 0, output);
      return (JSON.parse(output) as Record<string, unknown>)['python@test'];
    };
    const [ping, registered, active, stats, both, nobody] = await Promise.all([
      question('ping'),
      question('registered'),
      question('active'),
      question('stats'),
      fleet.simul('inspect', 'ping', '-t', '2'),
      fleet.simul('inspect', 'ping', '-d', 'nobody@test', '-t', '0.2'),
    ]);
    assert.deepEqual(ping, { ok: 'pong' });
    assert.ok((registered as string[]).includes('interop.add'));
    assert.deepEqual(active, []);
    assert.equal((stats as { pid: number }).pid, python.pid);
    assert.equal(both.code, 0, both.output);
    assert.match(both.output, /python@test: OK pong/);
    assert.match(both.output, /simul@test: OK pong/);
    assert.match(both.output, /2 workers answered/);
    assert.equal(nobody.code, 1);
    assert.match(nobody.output, /nobody@test: ERROR no answer within 0.2 s/);
  });

  it('celery sees the heartbeats of the Simul worker', async () => {
    const seen = await shared().client.run<Record<string, unknown>>(
      'seen = {}',
      'def heard(event):',
      '    if event["hostname"] == "simul@test": seen.update(event); receiver.should_stop = True',
      'with app.connection() as connection:',
      '    receiver = app.events.Receiver(connection, handlers={"worker-heartbeat": heard})',
      '    receiver.capture(limit=None, timeout=20, wakeup=False)',
      '{k: seen[k] for k in ("type", "freq", "active", "sw_ident", "pid")}',
    );
    assert.deepEqual(seen, {
      type: 'worker-heartbeat',
      freq: 2,
      active: 0,
      sw_ident: 'simul',
      pid: shared().simul.pid,
    });
  });

  it('celery control shutdown stops the Simul worker, and the Celery worker has survived all of it', async () => {
    const { fleet, simul, python } = shared();
    await fleet.celery('control', 'shutdown', '-d', 'simul@test');
    await simul.ended;
    assert.equal(simul.process.exitCode, 0, simul.output);
    const { output } = await fleet.celery('status', '--timeout', '3');
    assert.match(output, /1 node online/);
    assert.doesNotMatch(python.output, /Traceback|CRITICAL|ERROR/);
  });
});
