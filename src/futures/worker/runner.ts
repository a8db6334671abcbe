import { isThenable } from '../../base/thenable.ts';
import { cloneError } from '../../callable/clone.ts';
import { context } from '../../callable/context.ts';
import { packError } from '../../callable/packed-error.ts';
import { resolve } from '../../callable/reference.ts';
import type { Reference } from '../../callable/registry.ts';
import { prepare, prepareList } from '../channel/codec.ts';
import {
  ATTEND,
  AWAKE,
  BLOCKED,
  CURRENT,
  CURRENT_SINCE,
  DEFINE,
  EACH,
  ENGINE_ASLEEP,
  ERROR,
  FETCH,
  FETCH_ITEM,
  IN_LOOP,
  ITEM,
  MANY,
  ONE,
  SPREAD,
  TIMED,
  VALUE,
  WORKER_BELL,
  WORKER_STATE,
} from '../channel/layout.ts';
import { detached } from '../channel/detached.ts';
import type { Memory } from '../channel/memory.ts';
import { ResultWriter } from '../channel/result-ring.ts';
import { TaskReader } from '../channel/task-reader.ts';
import type { Bell } from './bell.ts';
import { CurrentCall } from './current-call.ts';
import { callEach } from './items.ts';
import { Meter } from './meter.ts';
import { Spin } from './spin.ts';
import type { Streams } from './streams.ts';

type Fn = (...args: unknown[]) => unknown;

// Seconds that an idle worker blocks before it goes back to its event loop, whence waking it takes a little longer.
const longestBlock = 0.05;
// Milliseconds after which a busy worker lets its event loop turn.
const longestSlice = 10;

/**
 * The worker's loop: takes tasks from its ring, runs them, writes results. Without anything to do it blocks, if nothing
 * else goes on in this thread, else it sleeps on its event loop.
 */
export class Runner {
  readonly calls = new CurrentCall();
  readonly #memory: Memory;
  readonly #bell: Bell;
  readonly #concurrency: number;
  readonly #tasks: TaskReader;
  readonly #results: ResultWriter;
  readonly #meter: Meter;
  readonly #spin = new Spin();
  readonly #streams: Streams;
  readonly #functions: (Fn | Promise<Fn>)[] = [];
  readonly #fetches = new Map<number, () => unknown>();
  #active = 0;
  #scheduled = false;
  #resources = 0;
  /** Items of streams that must be fetched have numbers below 0, as calls have numbers from 0 on. */
  #lastItem = 0;

  constructor(memory: Memory, bell: Bell, concurrency: number, streams: Streams) {
    this.#memory = memory;
    this.#bell = bell;
    this.#concurrency = concurrency;
    this.#tasks = new TaskReader(memory);
    this.#results = new ResultWriter(memory);
    this.#meter = new Meter(memory);
    this.#streams = streams;
    memory.words[CURRENT] = -1;
  }

  /** `resources`: what goes on in this thread by itself. */
  start(resources: number): void {
    this.#resources = resources;
    // Its first wait is on the event loop, which has yet to send the engine word that it is ready.
    Atomics.store(this.#memory.words, ATTEND, 1);
    context.run(this.calls, () => this.#schedule());
  }

  /** Runs a call that came by message. */
  async hosted(id: number, call: () => unknown): Promise<unknown> {
    this.#active++;
    this.calls.begin(id);
    try {
      return await context.run(this.calls.of(id), call);
    } finally {
      this.#ended(id);
    }
  }

  /** A result that could not be written, for its message. */
  fetch(id: number): unknown {
    const take = this.#fetches.get(id);
    this.#fetches.delete(id);
    return take?.();
  }

  /** Writes one item of a stream; what the ring cannot take is fetched by message, as it is now. EncodeError. */
  item(id: number, value: unknown): void {
    if (prepare(value)) return this.#put(id, ITEM, 0);
    const number = --this.#lastItem;
    const item = detachedItem(value);
    this.#fetches.set(number, () => item);
    prepare(number);
    this.#put(id, FETCH_ITEM, 0);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const { words } = this.#memory;
    Atomics.store(words, WORKER_STATE, AWAKE);
    this.#meter.begin();
    const turn = this.#meter.since;
    for (;;) {
      if (this.#active >= this.#concurrency) return this.#meter.end();
      if (this.#tasks.next()) {
        this.#begin();
        if (this.#meter.since - turn > longestSlice) return this.#yield();
        continue;
      }
      this.#meter.end();
      if (this.#active > 0 || Atomics.load(words, ATTEND) === 1 || !this.#block()) return this.#sleep();
      this.#meter.begin();
      if (this.#meter.since - turn > longestSlice && this.#isElsewhere()) return this.#schedule();
    }
  }

  #yield(): void {
    this.#meter.end();
    this.#schedule();
  }

  /** Blocks until there may be a task; false if it is time for the event loop. */
  #block(): boolean {
    const { words } = this.#memory;
    if (this.#spin.until(this.#wanted)) return this.#tasks.ready();
    if (this.#isElsewhere()) return false;
    const seen = Atomics.load(words, WORKER_BELL);
    Atomics.store(words, WORKER_STATE, BLOCKED);
    if (!this.#wanted()) this.#memory.wait(WORKER_BELL, seen, longestBlock);
    Atomics.store(words, WORKER_STATE, AWAKE);
    return this.#tasks.ready();
  }

  // For a call, or by its event loop.
  readonly #wanted = (): boolean => this.#tasks.ready() || Atomics.load(this.#memory.words, ATTEND) === 1;

  // Timers, sockets and requests of the functions that ran here: they need the event loop.
  #isElsewhere(): boolean {
    return resourceCount() > this.#resources;
  }

  #sleep(): void {
    const { words } = this.#memory;
    Atomics.store(words, ATTEND, 0);
    const seen = Atomics.load(words, WORKER_BELL);
    Atomics.store(words, WORKER_STATE, IN_LOOP);
    if (this.#tasks.ready()) return this.#schedule();
    this.#bell.sleep(seen, () => this.#wake());
  }

  #wake(): void {
    // Scheduled, it looks by itself.
    if (this.#scheduled) return;
    // A bell rings in the context in which it was made.
    context.run(this.calls, () => this.#run());
  }

  #begin(): void {
    const { id, form, value } = this.#tasks;
    this.#tasks.value = undefined;
    const mode = (form >> 4) & 7;
    if (mode === DEFINE) return this.#define(form >>> 8, JSON.parse(value as string) as Reference);
    if ((form & (TIMED << 4)) !== 0) this.#time(id);
    this.calls.begin(id);
    this.calls.id = id;
    const fn = this.#functions[form >>> 8]!;
    if (typeof fn === 'function' && this.#concurrency === 1) this.#call(id, mode, fn, value);
    else void this.#callLater(id, mode, fn, value);
  }

  #call(id: number, mode: number, fn: Fn, value: unknown): void {
    let result: unknown;
    try {
      result = this.#apply(id, mode, fn, value);
    } catch (error) {
      return this.#fail(id, error, this.#meter.done());
    }
    if (isThenable(result)) void this.#settle(id, result, isList(mode));
    else this.#answer(id, result, this.#meter.done(), isList(mode));
  }

  // Where several run at a time each has a context of its own.
  async #callLater(id: number, mode: number, fn: Fn | Promise<Fn>, value: unknown): Promise<void> {
    this.#active++;
    const since = performance.now();
    const call = this.calls.of(id);
    try {
      const known = typeof fn === 'function' ? fn : await fn;
      call.throwIfAborted();
      this.calls.id = id;
      const run = () => this.#apply(id, mode, known, value);
      const result = await (this.#concurrency === 1 ? run() : context.run(call, run));
      this.#answer(id, result, this.#meter.doneAlone(since), isList(mode));
    } catch (error) {
      this.#fail(id, error, this.#meter.doneAlone(since));
    }
    this.#ended(id);
  }

  async #settle(id: number, result: PromiseLike<unknown>, list: boolean): Promise<void> {
    this.#active++;
    const since = performance.now();
    try {
      this.#answer(id, await result, this.#meter.doneAlone(since), list);
    } catch (error) {
      this.#fail(id, error, this.#meter.doneAlone(since));
    }
    this.#ended(id);
  }

  #ended(id: number): void {
    this.#active--;
    this.calls.ended(id);
    this.#schedule();
  }

  #apply(id: number, mode: number, fn: Fn, value: unknown): unknown {
    switch (mode) {
      case ONE:
        return fn(value);
      case MANY:
        return value === undefined ? fn() : fn(...(value as unknown[]));
      case EACH:
      case SPREAD:
        return callEach(fn, value as unknown[], mode === SPREAD);
      default:
        return this.#streams.run(id, fn, value as unknown[], this);
    }
  }

  #define(number: number, reference: Reference): void {
    const fn = resolve(reference) as Promise<Fn>;
    this.#functions[number] = fn;
    fn.then(
      (known) => (this.#functions[number] = known),
      () => {}, // each call of it fails with that
    );
  }

  /** A function that came by message. */
  define(number: number, reference: Reference): void {
    if (this.#functions[number] === undefined) this.#define(number, reference);
  }

  functionOf(number: number): Fn | Promise<Fn> {
    return this.#functions[number]!;
  }

  #answer(id: number, value: unknown, micros: number, list: boolean): void {
    if (this.calls.id === id) this.calls.ended(id);
    this.#untime(id);
    if (list ? prepareList(value as unknown[]) : prepare(value)) return this.#put(id, VALUE, micros);
    this.#fetches.set(id, () => value);
    prepare(undefined);
    this.#put(id, FETCH, micros);
  }

  #fail(id: number, error: unknown, micros: number): void {
    if (this.calls.id === id) this.calls.ended(id);
    this.#untime(id);
    if (prepare(packError(error))) return this.#put(id, ERROR, micros);
    this.#fetches.set(id, () => {
      throw error;
    });
    prepare(undefined);
    this.#put(id, FETCH, micros);
  }

  // Else a later call with its number could be taken for one that has run since then.
  #untime(id: number): void {
    const { words } = this.#memory;
    if (words[CURRENT] === id) Atomics.store(words, CURRENT, -1);
  }

  #put(id: number, status: number, micros: number): void {
    this.#results.write(id, status, micros, () => this.#tell());
    this.#tell();
  }

  #tell(): void {
    const { words } = this.#memory;
    if (Atomics.load(words, ENGINE_ASLEEP) === 1 && Atomics.exchange(words, ENGINE_ASLEEP, 0) === 1) this.#bell.ring();
  }

  #time(id: number): void {
    const { words, doubles } = this.#memory;
    const [seconds, nanoseconds] = process.hrtime();
    doubles[CURRENT_SINCE >> 1] = seconds + nanoseconds / 1e9;
    Atomics.store(words, CURRENT, id);
  }
}

/** What keeps the event loop of this thread going: sockets, timers, requests; not the turn it is in. */
export function resourceCount(): number {
  let count = 0;
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Immediate') count++;
  return count;
}

function detachedItem(value: unknown): unknown {
  try {
    return detached(value);
  } catch (cause) {
    throw cloneError('item', value, cause);
  }
}

function isList(mode: number): boolean {
  return mode === EACH || mode === SPREAD;
}
