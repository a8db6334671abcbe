import { getRunningLoop } from '../asyncio/loop.ts';
import type { EventLoop } from '../asyncio/loop.ts';
import { currentScope } from '../asyncio/scope.ts';
import { onAbort } from '../base/abort.ts';
import type { ClockTimer } from '../base/clock.ts';
import { realClock } from '../base/clock.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { ambientSignal, within } from '../base/deadline.ts';
import type { Deferred } from '../base/deferred.ts';
import { deferred } from '../base/deferred.ts';
import { Deque } from '../base/deque.ts';
import { CancelledError, ClosedError, InvalidArgumentError, InvalidStateError, TimeoutError } from '../base/errors.ts';
import type { LifecycleState, StopReason } from '../base/lifecycle.ts';
import { Lifecycle } from '../base/lifecycle.ts';
import type { Address } from '../socket/address.ts';
import { showAddress } from '../socket/address.ts';
import type { Socket } from '../socket/socket.ts';
import type { RequestHandler, RequestHandlerClass } from './handlers.ts';
import { asFunction } from './handlers.ts';
import type { ServerOptions, ServerSettings } from './options.ts';
import { settle } from './options.ts';
import { writeError } from './report.ts';
import type { Job } from './request.ts';
import { Request } from './request.ts';
import { startStyle } from './start-style.ts';
import type { ServerOwner, Style } from './style.ts';

/** A function, a class, or with style `subprocess` a command. */
export type Handler<R> = RequestHandler<R> | RequestHandlerClass<R> | readonly string[];

/** Seconds without which a server that cannot accept (no descriptors left) would try in vain all the time. */
const pauseAfterFailure = 0.1;
/** Seconds that what was cancelled has to end. */
const graceOfCancelled = 1;

/**
 * What all servers have in common. `start` and `serveForever` begin; `shutdown` takes no more requests, finishes those that
 * were accepted, those in the backlog included, and cancels what still runs after `grace` seconds; `kill` does not wait.
 * Inside asyncio's `run` each request is a task of the loop, and the server ends with it. (socketserver.BaseServer)
 */
export abstract class BaseServer<R> implements AsyncDisposable {
  protected readonly settings: ServerSettings;
  protected listener: Socket | undefined;
  readonly #handler: RequestHandler<never> | readonly string[];
  readonly #lifecycle: Lifecycle;
  readonly #requests = new Set<Request>();
  readonly #pending = new Deque<Job>();
  readonly #unserved: Deferred<void>[] = [];
  #style: Style | undefined;
  #loop: EventLoop | undefined;
  #release: (() => void) | undefined;
  #address: Address | undefined;
  #quiet = false;
  readonly #owner: ServerOwner = { inChild: false };
  readonly #hurry = deferred();

  constructor(handler: Handler<R>, options: ServerOptions) {
    this.settings = settle(options);
    this.#handler = checkHandler(handler, this.settings);
    this.#lifecycle = new Lifecycle('the server', {
      start: () => this.#start(),
      stop: () => this.#stop(),
    });
  }

  /** Where it listens; the port is the one that was found if 0 was asked for. InvalidStateError before the start. */
  get serverAddress(): Address {
    if (this.#address === undefined) throw new InvalidStateError('the server has not been started');
    return this.#address;
  }

  get state(): LifecycleState {
    return this.#lifecycle.state;
  }

  /** Requests that are being served. */
  get running(): number {
    return this.#requests.size;
  }

  /** Settles, with the reason, once it has stopped and nothing is left. */
  get stopped(): Promise<StopReason> {
    return this.#lifecycle.stopped;
  }

  /**
   * Binds, listens, starts threads or processes, and serves. Throws SocketError (EADDRINUSE…), what importing the handler throws, ClosedError
   * once it was stopped. Idempotent.
   */
  start(): Promise<void> {
    const over = this.state === 'stopping' || this.state === 'stopped';
    if (over && this.#address !== undefined) return Promise.reject(new ClosedError('the server was stopped for good'));
    return this.#lifecycle.start();
  }

  /** Starts and serves until it is stopped by somebody, or by `signal` or the end of its task. (serve_forever) */
  async serveForever({ signal = ambientSignal() }: Pick<WaitOptions, 'signal'> = {}): Promise<void> {
    const forget = onAbort(signal, () => void this.shutdown({ why: 'its signal was aborted' }).catch(() => {}));
    try {
      await this.start();
      await this.stopped;
    } finally {
      forget();
    }
  }

  /** Stops, once what was accepted is served. Idempotent, legal before the start. */
  shutdown(reason?: StopReason): Promise<void> {
    return this.#lifecycle.stop(reason);
  }

  /** Stops without grace: what runs is cancelled. */
  kill(reason?: StopReason): Promise<void> {
    this.#hurry.resolve();
    return this.shutdown(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Hears of what a handler throws; by default `onError`, or standard error. The server goes on. */
  handleError(error: unknown, clientAddress: Address): void {
    (this.settings.onError ?? writeError)(error, clientAddress);
  }

  /** Whether to serve this client; by default `verifyRequest` of the options says so. */
  verifyRequest(clientAddress: Address): boolean | Promise<boolean> {
    return this.settings.verifyRequest?.(clientAddress) ?? true;
  }

  /** A socket that is bound, and listens if it is for connections. */
  protected abstract open(): Promise<Socket>;
  /** Waits for the next request. */
  protected abstract take(listener: Socket): Promise<Job>;
  /** No more can come: gives what is there already. */
  protected abstract drain(listener: Socket): Job[];
  /** Ends the source of requests; a socket by which answers go stays open to the end. */
  protected abstract quiet(listener: Socket): void;

  async #start(): Promise<void> {
    this.listener = await this.open();
    this.#address = this.listener.getsockname();
    this.#style = await startStyle({
      handler: this.#handler,
      settings: this.settings,
      listener: this.listener,
      owner: this.#owner,
    });
    if (currentScope() !== undefined) {
      this.#loop = getRunningLoop();
      this.#release = this.#loop.own(() => void this.kill({ why: 'its event loop has ended' }).catch(() => {}));
    }
    this.#spawn(() => this.#accept(this.listener!));
    this.settings.onReady?.(this.#address);
  }

  async #accept(listener: Socket): Promise<void> {
    while (!this.#quiet) {
      try {
        if (this.#requests.size >= this.settings.maxClients) await this.#room();
        if (this.#quiet) return;
        this.#enqueue(await this.take(listener));
      } catch (error) {
        if (this.#quiet || error instanceof ClosedError || error instanceof CancelledError) return;
        this.handleError(error, this.serverAddress);
        await new Promise<void>((resolve) => realClock.setTimer(pauseAfterFailure, resolve));
      }
    }
  }

  #enqueue(job: Job): void {
    if (this.#requests.size < this.settings.maxClients) this.#run(job);
    else this.#pending.push(job);
  }

  #run(job: Job): void {
    const request = new Request(job);
    this.#requests.add(request);
    this.#spawn(() => this.#serve(request));
  }

  async #serve(request: Request): Promise<void> {
    const { job } = request;
    const timer = this.#limit(request);
    try {
      const verdict = this.verifyRequest(job.address);
      if (verdict === true || (await verdict)) await this.#style!.serve(request);
      else if (job.kind === 'connection') job.connection.close();
      if (request.reason !== undefined) throw request.reason;
    } catch (error) {
      if (this.#requests.has(request)) this.#report(request.reason ?? error, job.address);
    } finally {
      timer?.cancel();
      this.#finished(request);
    }
  }

  #limit(request: Request): ClockTimer | undefined {
    const { requestTimeout } = this.settings;
    if (requestTimeout === undefined) return undefined;
    return realClock.setTimer(requestTimeout, () => {
      const message = `the request of ${showAddress(request.job.address)} took more than ${requestTimeout} s`;
      request.cancel(new TimeoutError(message, { timeout: requestTimeout }));
    });
  }

  #report(error: unknown, address: Address): void {
    try {
      this.handleError(error, address);
    } catch (failure) {
      // The hook itself must not end the server.
      writeError(failure, address);
    }
  }

  #finished(request: Request): void {
    this.#requests.delete(request);
    const next = this.#pending.shift();
    if (next !== undefined) this.#run(next);
    for (const waiting of this.#unserved.splice(0)) waiting.resolve();
  }

  #room(): Promise<void> {
    const waiting = deferred();
    this.#unserved.push(waiting);
    return waiting.promise;
  }

  async #stop(): Promise<void> {
    this.#quiet = true;
    try {
      if (this.listener !== undefined && this.#style !== undefined && !this.#owner.inChild) {
        for (const job of this.drain(this.listener)) this.#enqueue(job);
        this.quiet(this.listener);
      }
      await this.#finish();
    } finally {
      this.listener?.close();
      await this.#style?.close();
      this.#release?.();
    }
  }

  /** Waits for what runs, for as long as the grace lasts, and cancels the rest. */
  async #finish(): Promise<void> {
    const { grace } = this.settings;
    await within(Promise.race([this.#idle(), this.#hurry.promise]), { timeout: grace }).catch(() => {});
    const dropped = this.#pending.size;
    for (let job = this.#pending.shift(); job !== undefined; job = this.#pending.shift()) {
      if (job.kind === 'connection') job.connection.close();
      this.#report(
        new CancelledError(`the server stopped before the request was served (${dropped} such)`),
        job.address,
      );
    }
    for (const request of this.#requests) {
      request.cancel(new CancelledError('the server stopped before the request was done'));
    }
    await within(this.#idle(), { timeout: graceOfCancelled }).catch(() => {});
    // What ignores its end is told, and left behind.
    for (const request of this.#requests) {
      this.#requests.delete(request);
      this.#report(request.reason, request.job.address);
    }
  }

  async #idle(): Promise<void> {
    while (this.#requests.size > 0) await this.#room();
  }

  #spawn(body: () => Promise<void>): void {
    if (this.#loop === undefined) void body();
    else void this.#loop.createTask(body, { name: 'request' }).catch(() => {});
  }
}

function checkHandler<R>(handler: Handler<R>, { style }: ServerSettings): RequestHandler<never> | readonly string[] {
  if (style === 'subprocess') return handler as readonly string[];
  if (typeof handler !== 'function') throw new InvalidArgumentError('handler', handler, 'a function or a class');
  const crosses = style === 'threads' || style === 'process' || style === 'processes';
  return (crosses ? handler : asFunction(handler as RequestHandler<R>)) as RequestHandler<never>;
}
