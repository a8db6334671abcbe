import { isoTime } from '../../tasks/times.ts';
import { redactUrl } from '../../tasks/url.ts';
import type { Command } from './command.ts';
import { noReply } from './command.ts';
import { hello } from './hello.ts';
import { queueInfo } from './queues.ts';
import { registered } from './registered.ts';
import { idsOf, revoke } from './revoke.ts';
import { stats } from './stats.ts';
import type { ControlTarget } from './target.ts';
import { activeInfo, postponedInfo } from './task-info.ts';

/** The commands a worker carries out, by Celery's names of them. */
export function commandsOf(target: ControlTarget): ReadonlyMap<string, Command> {
  const { app, settings, dispatcher, revoked, lamport } = target;
  const active: Command = (args) =>
    [...dispatcher.active]
      .filter((run) => run.begun !== undefined)
      .map((run) => activeInfo(target, run, args['safe'] === true));
  const reserved: Command = (args) =>
    [...dispatcher.active]
      .filter((run) => run.begun === undefined)
      .map((run) => activeInfo(target, run, args['safe'] === true));
  const scheduled: Command = () =>
    dispatcher.postponed.map(({ id, envelope, delivery, due }) => ({
      eta: isoTime(new Date(due * 1000)),
      priority: envelope.properties.priority ?? 0,
      request: postponedInfo(target, id, envelope, delivery.redelivered),
    }));
  const conf = {
    app: app.name,
    broker_url: redactUrl(app.brokerUrl),
    result_backend: redactUrl(app.backendUrl),
    task_default_queue: app.defaultQueue,
    worker_pool: settings.pool,
    worker_concurrency: settings.concurrency,
    worker_prefetch_multiplier: settings.prefetch,
  };
  const own: Record<string, Command> = {
    ping: () => ({ ok: 'pong' }),
    active,
    dump_active: active,
    reserved,
    dump_reserved: reserved,
    scheduled,
    dump_schedule: scheduled,
    registered: (args) => registered(target, args),
    dump_tasks: (args) => registered(target, args),
    stats: () => stats(target),
    active_queues: () => settings.queues.map(queueInfo),
    conf: () => conf,
    dump_conf: () => conf,
    revoked: () => revoked.list().map(({ id }) => id),
    dump_revoked: () => revoked.list().map(({ id }) => id),
    query_task: (args) => queryTask(target, args),
    clock: () => ({ clock: lamport.value }),
    report: () => ({ ok: `simul ${app.name} node:${process.versions.node} pool:${settings.pool}` }),
    hello: (args) => hello(target, args),
    revoke: (args) => revoke(target, args),
    terminate: (args) => revoke(target, { ...args, terminate: true }),
    heartbeat: () => {
      target.beat();
      return null;
    },
    // Answering would make us a voter in an election, and with a single voter a Python worker ends.
    election: () => noReply,
    shutdown: () => {
      target.stop('told to over remote control');
      return noReply;
    },
  };
  return new Map(Object.entries(own));
}

function queryTask(target: ControlTarget, args: Readonly<Record<string, unknown>>): object {
  const ids = idsOf(args['ids']);
  const found = [...target.dispatcher.active].filter((run) => ids.includes(run.id));
  return Object.fromEntries(
    found.map((run) => [
      run.id,
      [run.begun === undefined ? 'reserved' : 'active', activeInfo(target, run, false)] as const,
    ]),
  );
}
