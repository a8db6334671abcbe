import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharedFleet, wait } from './fleet.ts';
import { fileWithText } from '../support/file.ts';

describe('remote control between Celery and Simul:', () => {
  const shared = sharedFleet(async (fleet) => {
    const simul = await fleet.simulWorker({ name: 'simul@test', queues: ['simul'], concurrency: 3 });
    // With mingle and gossip: it says hello to the Simul worker when it starts, and hears its events after that.
    const python = await fleet.pythonWorker({ name: 'python@test', queues: ['python'], flags: [] });
    return { fleet, simul, python };
  });

  it('a Celery worker that starts finds the Simul worker', () => {
    assert.match(shared().python.output, /mingle: sync with 1 nodes/);
    assert.match(shared().python.output, /mingle: sync complete/);
  });

  it('celery inspect ping and celery status see both', async () => {
    const [ping, status] = [await shared().fleet.celery('inspect', 'ping'), await shared().fleet.celery('status')];
    for (const { code, output } of [ping, status]) {
      assert.equal(code, 0, output);
      for (const name of ['simul@test', 'python@test']) assert.match(output, new RegExp(`->\\s+${name}: OK`));
      assert.match(output, /2 nodes online/);
    }
    assert.match(ping.output, /simul@test: OK\n\s+pong/);
  });

  it('celery inspect ping takes a destination', async () => {
    const { code, output } = await shared().fleet.celery('inspect', 'ping', '-d', 'simul@test');
    assert.equal(code, 0, output);
    assert.match(output, /1 node online/);
  });

  it('celery inspect registered, stats, active_queues and report see the Simul worker', async () => {
    const ask = async (what: string) => {
      const { code, output } = await shared().fleet.celery('inspect', what, '-d', 'simul@test', '--json');
      assert.equal(code, 0, output);
      return (JSON.parse(output) as Record<string, never>)['simul@test']!;
    };
    const registered: string[] = await ask('registered');
    assert.ok(registered.includes('interop.add'), registered.join());
    const stats: { pid: number; pool: { 'max-concurrency': number } } = await ask('stats');
    assert.equal(stats.pid, shared().simul.pid);
    assert.equal(stats.pool['max-concurrency'], 3);
    const queues: { name: string }[] = await ask('active_queues');
    assert.deepEqual(
      queues.map((queue) => queue.name),
      ['simul'],
    );
    for (const what of ['scheduled', 'reserved', 'revoked']) assert.deepEqual(await ask(what), []);
    assert.match(JSON.stringify(await ask('report')), /simul/);
  });

  it('celery inspect active and query_task see a task that runs at the Simul worker, celery control ends it', async () => {
    const { fleet } = shared();
    const path = fleet.file();
    const result = await fleet.client.sendTask('interop.held', [path, 3600], { queue: 'simul' });
    await fileWithText(path);
    const active = await fleet.celery('inspect', 'active', '-d', 'simul@test', '--json');
    const [task] = (JSON.parse(active.output) as Record<string, Record<string, unknown>[]>)['simul@test']!;
    assert.deepEqual([task!['id'], task!['name'], task!['args']], [result.id, 'interop.held', [path, 3600]]);
    assert.equal(typeof task!['time_start'], 'number');
    const found = await fleet.celery('inspect', 'query_task', result.id, '-d', 'simul@test');
    assert.match(found.output, new RegExp(`${result.id}[\\s\\S]*active`));
    const ended = await fleet.celery('control', 'terminate', 'SIGTERM', result.id, '-d', 'simul@test');
    assert.match(ended.output, /terminate: /);
    await assert.rejects(result.get(wait), { name: 'TaskRevokedError' });
  });

  it('simul inspect ping, registered, active and stats see the Celery worker', async () => {
    const { fleet, python } = shared();
    const ask = async (what: string) => {
      const { code, output } = await fleet.simul('inspect', what, '-d', 'python@test', '-t', '10', '--json');
      assert.equal(code, 0, output);
      return (JSON.parse(output) as Record<string, unknown>)['python@test'];
    };
    assert.deepEqual(await ask('ping'), { ok: 'pong' });
    assert.ok(((await ask('registered')) as string[]).includes('interop.add'));
    assert.deepEqual(await ask('active'), []);
    assert.equal(((await ask('stats')) as { pid: number }).pid, python.pid);
    const { code, output } = await fleet.simul('inspect', 'ping', '-t', '2');
    assert.equal(code, 0, output);
    assert.match(output, /python@test: OK pong/);
    assert.match(output, /simul@test: OK pong/);
    assert.match(output, /2 workers answered/);
  });

  it('simul inspect says that nobody has answered', async () => {
    const { code, output } = await shared().fleet.simul('inspect', 'ping', '-d', 'nobody@test', '-t', '0.2');
    assert.equal(code, 1);
    assert.match(output, /no worker answered within 0.2 s/);
  });

  it('celery sees the heartbeats of the Simul worker', async () => {
    const { fleet } = shared();
    const client = fleet.pythonClient();
    const seen = await client.run<Record<string, unknown>>(
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
    const { output } = await fleet.celery('status');
    assert.match(output, /1 node online/);
    assert.doesNotMatch(python.output, /Traceback|CRITICAL|ERROR/);
  });
});
