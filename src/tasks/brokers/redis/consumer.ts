import { Deadline, throwIfAborted, within } from '../../../base/deadline.ts';
import { realClock } from '../../../base/clock.ts';
import {
  ClosedError,
  ConnectionError,
  InvalidStateError,
  TimeoutError,
  UnsupportedError,
} from '../../../base/errors.ts';
import { KeepAlive } from '../../../base/keep-alive.ts';
import type { Consumer, ConsumerOptions, Delivery, ReleaseOptions } from '../../broker.ts';
import { checkMax } from '../../consumer-options.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { persist } from '../../redis/persistence.ts';
import { Heartbeat } from '../../thread-heartbeat.ts';
import { Beginnings } from './beginnings.ts';
import { Bell } from './bell.ts';
import { Claims } from './claims.ts';
import { RedisDelivery } from './delivery.ts';
import type { Layout } from './layout.ts';
import { consumerName } from './layout.ts';
import { Receives } from './receives.ts';
import { restoreConsumer } from './restoration.ts';
import { Settlements } from './settlements.ts';
import type { StewardShare, StewardWatcher } from './steward.ts';

/** Seconds that closing may take with a server that is away. */
const farewell = 3;
/** A lost connection is usually back within that many seconds; only then does `receive` fail. */
const reconnection = 1;

/** What a consumer is given by its broker. */
interface Seat {
  readonly options: ConsumerOptions;
  readonly steward: StewardShare;
  /** Seconds for which `receive` waits for a server that is away. */
  readonly patience: number | undefined;
}

/** The claims lie with Redis and are kept by the steward's thread; this end hands them out and settles them. */
export class RedisConsumer implements Consumer {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #id: string;
  readonly #receives: Receives;
  readonly #bell: Bell;
  readonly #settlements: Settlements;
  readonly #beginnings: Beginnings | undefined;
  readonly #steward: StewardShare;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #keepAlive = new KeepAlive();
  readonly #onClose: () => void;
  readonly #registered: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(
    connection: RedisConnection,
    layout: Layout,
    { options, steward, patience = reconnection }: Seat,
    onClose: () => void,
  ) {
    const begins = options.countFrom === 'begin';
    this.#id = consumerName(begins);
    this.#beginnings = begins ? new Beginnings(connection, layout.begun(this.#id)) : undefined;
    this.#connection = connection;
    this.#layout = layout;
    this.#steward = steward;
    this.#onClose = onClose;
    const queues = [...new Set(options.queues)];
    this.#bell = new Bell(connection.location, layout.lists(queues));
    this.#receives = new Receives(new Claims(connection, layout, this.#id, options), this.#bell, patience);
    this.#settlements = new Settlements(connection, layout, this.#id);
    const { hostname, lease, stallTimeout } = options;
    this.#heartbeat = stallTimeout === undefined ? undefined : new Heartbeat(stallTimeout / 8);
    const heartbeat = this.#heartbeat?.counter;
    const ward = { id: this.#id, hostname, queues, lease, stallTimeout, heartbeat };
    this.#registered = steward.steward.add(ward, this.#watcher);
  }

  /**
   * Resolves when the server would miss it, so that nothing is claimed before by one who dies at his first message; or
   * when that takes too long: then only the lease tells of its death.
   */
  async registered(): Promise<void> {
    await this.#keepAlive.during(within(this.#registered, { timeout: farewell }).catch(ifAway));
  }

  async receive(max: number, signal?: AbortSignal): Promise<Delivery[]> {
    this.#checkOpen();
    checkMax(max);
    throwIfAborted(signal);
    return this.#keepAlive.during(this.#receives.receive(max, signal));
  }

  async begin(deliveries: readonly Delivery[]): Promise<void> {
    this.#checkOpen();
    await this.#beginnings?.add(this.#own(deliveries).map(({ tag }) => tag));
  }

  async acknowledge(deliveries: readonly Delivery[]): Promise<boolean[]> {
    this.#checkOpen();
    const tags = this.#own(deliveries).map(({ tag }) => tag);
    const held = await this.#settlements.acknowledge(tags);
    this.#beginnings?.forget(tags);
    if (held.length === deliveries.length) return held;
    let next = 0;
    return deliveries.map((delivery) => this.#isOwn(delivery) && held[next++]!);
  }

  async release(deliveries: readonly Delivery[], options: ReleaseOptions = {}): Promise<void> {
    this.#checkOpen();
    const own = this.#own(deliveries);
    await this.#settlements.release(own, options);
    // Who waits is to know until when.
    if (options.due !== undefined) this.#bell.ring();
    this.#beginnings?.forget(own.map(({ tag }) => tag));
  }

  async quarantine(delivery: Delivery, reason: string, id?: string): Promise<void> {
    this.#checkOpen();
    if (!this.#isOwn(delivery)) return;
    const { queue, text, tag } = delivery;
    await this.#settlements.quarantine(tag, { queue, id, reason, time: realClock.time(), text });
    this.#beginnings?.forget([tag]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#keepAlive.during(this.#close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#heartbeat?.stop();
    // What is being claimed is under way on the same connection, and so before what gives it back.
    const ended = this.#receives.end(new ClosedError('the consumer was closed'));
    const deadline = Deadline.after(farewell);
    await within(ended, { timeout: deadline.left }).catch(ifAway);
    await this.#bell.close();
    const removed = this.#steward.steward.remove(this.#id, this.#watcher);
    await within(removed, { timeout: deadline.left }).catch(ifAway);
    try {
      await this.#giveBack(deadline);
    } finally {
      await this.#steward.release();
      this.#onClose();
    }
  }

  async #giveBack(deadline: Deadline): Promise<void> {
    const self = { id: this.#id, score: '', client: '' };
    const { retryTimeout } = this.#connection.location;
    const given = persist(Math.min(deadline.left, retryTimeout), () =>
      restoreConsumer(this.#connection, this.#layout, self, false),
    );
    await within(given, { timeout: deadline.left }).catch(ifAway);
  }

  readonly #watcher: StewardWatcher = {
    broken: (error) => void this.#receives.end(error),
    failed: (error) => this.#receives.report(error),
  };

  #own(deliveries: readonly Delivery[]): RedisDelivery[] {
    return deliveries.filter((delivery) => this.#isOwn(delivery));
  }

  #isOwn(delivery: Delivery): delivery is RedisDelivery {
    return delivery instanceof RedisDelivery && delivery.claim.consumer === this.#id;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the consumer is closed');
  }
}

// The lease gives back what we cannot, because the server is away, slow or holds something else where our keys should be.
function ifAway(error: unknown): void {
  const causes = [ConnectionError, TimeoutError, InvalidStateError, UnsupportedError];
  if (!causes.some((one) => error instanceof one)) throw error;
}
