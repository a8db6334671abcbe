import { messageOf } from '../base/error-text.ts';
import { onAbort } from '../base/abort.ts';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import { CancelledError } from '../base/errors.ts';
import { ResourceStack } from '../base/dispose.ts';
import { KeepAlive } from '../base/keep-alive.ts';
import type { LifecycleState, StopReason } from '../base/lifecycle.ts';
import { Lifecycle } from '../base/lifecycle.ts';
import { pause } from '../base/pause.ts';
import type { Simul } from '../tasks/app.ts';
import type { Backend } from '../tasks/backend.ts';
import type { Broker, Consumer, Delivery } from '../tasks/broker.ts';
import type { PoolName } from '../tasks/task.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Job } from './job.ts';
import type { Log } from './log.ts';
import { openLog } from './log.ts';
import type { WorkerOptions, WorkerSettings } from './options.ts';
import { workerSettings } from './options.ts';
import { makePool } from './pools.ts';
import type { Ending, PoolServices, Run } from './pool.ts';
import { isPermanent } from './permanence.ts';
import type { Begin } from './pool-queue.ts';
import { PoolQueue } from './pool-queue.ts';
import { leave, restartCode } from './leave.ts';
import { joinFleet } from './presence.ts';
import { RevocationWatch } from './revocation.ts';
import { RevokedIds } from './revoked.ts';
import { Settler } from './settler.ts';

/** Seconds that each step of a cold stop waits for a broker that does not answer. */
const coldPatience = 1;

/**
 * Takes tasks from the queues of an app and runs them. A stop is warm: nothing new is taken, what runs is finished and
 * written. `kill` is cold: runs are told to stop, and what has not ended goes back to its queue.
 *
 * @example
 * await using worker = new Worker(app, { concurrency: 10 });
 * await worker.start();
 */
export class Worker implements AsyncDisposable {
  readonly settings: WorkerSettings;
  readonly #app: Simul;
  readonly #options: WorkerOptions;
  readonly #lifecycle: Lifecycle;
  readonly #resources = new ResourceStack();
  readonly #keepAlive = new KeepAlive();
  readonly #pools = new Map<PoolName, PoolQueue>();
  readonly #quiet = new AbortController();
  readonly #cold = new AbortController();
  readonly #lost = new AbortController();
  readonly #clock = realClock;
  readonly #revoked = new RevokedIds(this.#clock);
  #parts: Parts | undefined;
  #loop: Promise<void> = Promise.resolve();
  #dispatching: Promise<void> = Promise.resolve();
  #held = 0;
  #freed: Deferred<void> | undefined;
  readonly #stuck: string[] = [];
  /** A stop that is not for a restart. */
  #asked = false;
  /** What has kept it from starting anew. */
  #failure: StopReason | undefined;

  constructor(app: Simul, options: WorkerOptions = {}) {
    this.#app = app;
    this.#options = options;
    this.settings = workerSettings(app, options);
    this.#lifecycle = new Lifecycle('the worker', { start: () => this.#start(), stop: (reason) => this.#stop(reason) });
  }

  get state(): LifecycleState {
    return this.#lifecycle.state;
  }

  /** Settles with the reason once the worker has stopped and released everything. */
  get stopped(): Promise<StopReason> {
    return this.#lifecycle.stopped.then((reason) => this.#failure ?? reason);
  }

  /** The tasks under way: id, name, and since when (seconds on the worker's monotonic clock). */
  get active(): { id: string; task: string; since: number }[] {
    return [...(this.#parts?.dispatcher.active ?? [])].map(({ id, task, since }) => ({ id, task, since }));
  }

  /** The threads of its pools that cannot be ended: this process only goes by `_exit`, a new program in it, or SIGKILL. */
  get stuck(): readonly string[] {
    return this.#stuck;
  }

  /** Resolves when it takes tasks. Idempotent. */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /** Warm: takes nothing new, finishes what runs (at most `drainTimeout` seconds), writes it, releases everything. */
  stop(reason: StopReason = { why: 'asked to stop' }): Promise<void> {
    this.#asked = true;
    return this.#leave(reason);
  }

  #leave(reason: StopReason): Promise<void> {
    // At once, and not when the life cycle comes to it: what is sent after this call is not taken.
    this.#quiet.abort(new CancelledError(reason.why));
    return this.#lifecycle.stop(reason);
  }

  /** Cold, also in the middle of a warm stop: tells runs to stop and gives their messages back at once. */
  kill(reason: StopReason = { why: 'asked to stop at once' }): Promise<void> {
    this.#cold.abort(new CancelledError(reason.why));
    return this.stop(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const { loglevel: level } = this.settings;
    const { logWrite: write, logJson: json = false } = this.#options;
    // Tasks that wait for something unref'ed would otherwise end the program, and a running worker is not idle.
    this.#keepAlive.hold();
    this.#resources.defer(() => this.#keepAlive.release());
    const log = await openLog({ level, json, ...(write === undefined ? {} : { write }) });
    this.#warnOfLimits(log);
    const patience = this.settings.retry ? undefined : 0;
    const broker = await this.#app.broker({ patience });
    const backend = await this.#app.backend({ patience });
    for (const name of this.#neededPools()) await this.#startPool(name, log, backend);
    const { queues, hostname, lease, stallTimeout } = this.settings;
    const countFrom = this.#holdsBack ? 'begin' : 'receive';
    const consumer = await broker.consume({ queues, hostname, lease, stallTimeout, countFrom, results: backend.place });
    this.#resources.own(consumer, (it) => it.close());
    // One that is away is to be known before a task is taken.
    if (!this.settings.retry) await backend.fetch([this.settings.hostname]);
    this.#parts = this.#assemble(log, broker, backend, consumer);
    await this.#join(broker, backend, this.#parts);
    this.#loop = this.#consume(this.#parts);
  }

  /** A limit that nobody enforces is worse than none that is named. */
  #warnOfLimits(log: Log): void {
    for (const { name, options } of this.#app.tasks.values()) {
      const limits = (['timeLimit', 'softTimeLimit', 'rateLimit'] as const).filter((key) => options[key] !== undefined);
      if (limits.length > 0) log.warn(`task ${name}: ${limits.join(', ')} not enforced by this version's worker`);
    }
  }

  #neededPools(): Set<PoolName> {
    const own = [...this.#app.tasks.values()].flatMap(({ options }) => options.pool ?? []);
    return new Set([this.settings.pool, ...own]);
  }

  /** Whether messages may be claimed for which there is no slot. */
  get #holdsBack(): boolean {
    return this.settings.prefetch > 1 || this.#neededPools().size > 1;
  }

  async #startPool(name: PoolName, log: Log, backend: Backend): Promise<void> {
    const services: PoolServices = {
      storeState: (id, state, document) => backend.store([{ id, state, document }]),
      stuck: (thread) => this.#restart(thread, log),
    };
    const pool = await makePool(name, { app: this.#app, settings: this.settings, services, log });
    this.#resources.own(pool, (it) => it.stop());
    await pool.start();
    const begin: Begin = (delivery) => this.#parts!.consumer.begin([delivery]);
    this.#pools.set(name, new PoolQueue(pool, this.#holdsBack ? begin : undefined));
  }

  // What the thread had has gone back to its queue as tried. It keeps its memory and its core, and the next one may do the same.
  #restart(thread: string, log: Log): void {
    const first = this.#stuck.push(thread) === 1 && !this.#quiet.signal.aborted;
    const then = first ? '; the worker takes no more tasks, ends those it has, and starts anew' : '';
    log.error(`${thread} cannot be ended, it is in native code that blocks${then}`);
    if (!first) return;
    const { restart = () => leave(restartCode) } = this.#options;
    void this.#leave({ why: `${thread} cannot be ended` })
      .catch((error: unknown) => log.error(messageOf(error)))
      .then(() => (this.#asked ? undefined : restart()));
  }

  #assemble(log: Log, broker: Broker, backend: Backend, consumer: Consumer): Parts {
    const giveUp = AbortSignal.any([this.#cold.signal, this.#lost.signal]);
    const settler = new Settler({
      broker,
      backend,
      consumer,
      log,
      clock: this.#clock,
      giveUp,
      retry: this.settings.retry,
      fail: (error) => this.#fail(error),
    });
    const dispatcher = new Dispatcher({
      app: this.#app,
      backend,
      settings: this.settings,
      log,
      clock: this.#clock,
      mostUrgent: broker.capabilities.mostUrgent,
      revoked: this.#revoked,
      run: (pool, job, delivery, ending) => this.#run(pool, job, delivery, ending),
      settle: (settlement) => settler.add(settlement),
      done: () => this.#release(),
    });
    const revocations = new RevocationWatch(backend, dispatcher, this.#clock, log);
    this.#resources.own(revocations, (it) => it.stop());
    return { log, consumer, settler, dispatcher };
  }

  #join(broker: Broker, backend: Backend, { dispatcher, log }: Parts): Promise<void> {
    const stop = (why: string) => void this.stop({ why }).catch((error) => log.error(messageOf(error)));
    const [app, settings, clock, revoked] = [this.#app, this.settings, this.#clock, this.#revoked];
    return joinFleet(broker, { app, backend, settings, dispatcher, revoked, clock, stop }, this.#resources, log);
  }

  #run(name: PoolName, job: Job, delivery: Delivery, ending: Ending): Run {
    return (this.#pools.get(name) ?? this.#pools.get(this.settings.pool)!).run(job, delivery, ending);
  }

  #release(): void {
    this.#held--;
    this.#wake();
  }

  async #consume(parts: Parts): Promise<void> {
    const { log, settler } = parts;
    const slots = this.settings.concurrency * this.settings.prefetch;
    let delay = 0.1;
    while (!this.#quiet.signal.aborted) {
      await this.#slotFree(slots);
      // Runs are over before their ends are written: bound how far the two may drift apart.
      await settler.below(Math.max(1000, slots * 4));
      if (this.#quiet.signal.aborted) return;
      try {
        await this.#receive(Math.min(slots - this.#held, Math.ceil(slots / 2)), parts);
        delay = 0.1;
      } catch (error) {
        if (this.#quiet.signal.aborted) return;
        if (isPermanent(error) || !this.settings.retry) return this.#fail(error);
        log.error(`cannot fetch tasks, trying again: ${messageOf(error)}`);
        await pause(delay, this.#quiet.signal, this.#clock);
        delay = Math.min(delay * 2, 5);
      }
    }
  }

  // The next half of the slots is fetched while this half is looked up and run: broker and worker work at the same time.
  async #receive(max: number, parts: Parts): Promise<void> {
    const deliveries = await parts.consumer.receive(max, this.#quiet.signal);
    this.#held += deliveries.length;
    const before = this.#dispatching;
    this.#dispatching = this.#dispatch(deliveries, parts);
    // Whether it failed is asked next time.
    this.#dispatching.catch(() => {});
    await before;
  }

  async #dispatch(deliveries: readonly Delivery[], { dispatcher, settler }: Parts): Promise<void> {
    try {
      // The broker is asked for the next ones first, and answers while these run.
      await new Promise(setImmediate);
      await dispatcher.dispatch(deliveries);
    } catch (error) {
      // By way of the settler, which tries until it can: what fails the look-up fails a single release as well, and
      // claims that nobody remembers are renewed for as long as this worker lives.
      for (const delivery of deliveries) settler.add({ delivery, settle: { how: 'release' } });
      this.#held -= deliveries.length;
      this.#wake();
      throw error;
    }
  }

  #fail(error: unknown): void {
    this.#lost.abort();
    // The reason is what `stopped` tells; a release that fails on top of it would only hide it.
    const reason = { why: 'it cannot go on with its broker', error };
    if (!this.#asked) this.#failure ??= reason;
    // What may heal is not waited for if nobody wants to: neither are the runs.
    const cold = !isPermanent(error) && !this.settings.retry;
    (cold ? this.kill(reason) : this.stop(reason)).catch(() => {});
  }

  async #slotFree(slots: number): Promise<void> {
    while (this.#held >= slots && !this.#quiet.signal.aborted) await this.#oneFreed();
  }

  async #stop(reason: StopReason): Promise<void> {
    this.#quiet.abort(new CancelledError(reason.why));
    this.#wake();
    const parts = this.#parts;
    if (parts !== undefined) await this.#drain(parts);
    await this.#resources.dispose();
  }

  async #drain({ dispatcher, settler, log }: Parts): Promise<void> {
    await this.#unlessCold(this.#loop);
    await this.#unlessCold(this.#dispatching.catch(() => {}));
    if (!(await this.#allEnded())) {
      this.#cold.abort(new CancelledError('the worker stops'));
      const left = dispatcher.abandon(new CancelledError('the worker stops'));
      if (left.length > 0) log.warn(`${left.length} tasks given back, the worker stops: ${left.join(', ')}`);
    }
    await this.#unlessCold(settler.flush());
  }

  /** Waits for what a broker is asked, but for a silent one not much longer once the stop is cold. */
  async #unlessCold(work: Promise<void>): Promise<void> {
    const over = deferred();
    let timer: ClockTimer | undefined;
    const cold = () => (timer = this.#clock.setTimer(coldPatience, () => over.resolve()));
    if (this.#cold.signal.aborted) cold();
    const forget = onAbort(this.#cold.signal, cold);
    try {
      await Promise.race([work, over.promise]);
    } finally {
      forget();
      timer?.cancel();
    }
  }

  /** False if the deadline or a cold stop came first. */
  async #allEnded(): Promise<boolean> {
    const over = deferred<false>();
    const timer =
      this.settings.drainTimeout === undefined
        ? undefined
        : this.#clock.setTimer(this.settings.drainTimeout, () => over.resolve(false));
    const cold = () => over.resolve(false);
    if (this.#cold.signal.aborted) cold();
    this.#cold.signal.addEventListener('abort', cold, { once: true });
    try {
      return await Promise.race([over.promise, this.#noneHeld()]);
    } finally {
      timer?.cancel();
      this.#cold.signal.removeEventListener('abort', cold);
    }
  }

  async #noneHeld(): Promise<true> {
    while (this.#held > 0) await this.#oneFreed();
    return true;
  }

  #oneFreed(): Promise<void> {
    this.#freed ??= deferred();
    return this.#freed.promise;
  }

  #wake(): void {
    this.#freed?.resolve();
    this.#freed = undefined;
  }
}

interface Parts {
  readonly log: Log;
  readonly consumer: Consumer;
  readonly settler: Settler;
  readonly dispatcher: Dispatcher;
}
