import { ResourceStack } from '../src/base/dispose.ts';
import { TimeoutError } from '../src/base/errors.ts';
import { cpuSeconds } from './cpu.ts';
import { median } from './statistics.ts';

/** What an area's module (`bench/areas/NAME.ts`) exports. */
export interface Area {
  /** One line for `--list` and the head of the table. */
  readonly title: string;
  /** npm packages (of `bench/package.json`) that the rows load with `loadPeer`; installed before the area runs. */
  readonly peers?: readonly string[];
  /** The rows in the order in which they run; what they share is owned by `context.resources`. */
  rows(context: BenchContext): Promise<readonly RowPlan[]> | readonly RowPlan[];
}

export interface BenchContext {
  /** Counted runs a row, at least 3; one warm-up comes before. */
  readonly runs: number;
  /** A tenth of the operations, to see that an area works; its figures mean little. */
  readonly quick: boolean;
  /** False when the peers were left out on purpose (`--no-peers`). */
  readonly withPeers: boolean;
  /** Below `os.tmpdir()`, the area's own; removed at its end. */
  readonly directory: string;
  /** Released in reverse order when the area ends, also after a failure or SIGINT. */
  readonly resources: ResourceStack;
  /** The number of operations to do in this kind of run: `full`, or a tenth with `--quick`. */
  count(full: number): number;
}

/** One row: the same work done by us and by each peer. */
export interface RowPlan {
  readonly name: string;
  /** As it is to be read: `op/s`, `task/s`, `ms`, `MB`… */
  readonly unit: string;
  /** Whether a larger value is a better one (throughput) or a smaller (time, latency, memory). */
  readonly better: 'higher' | 'lower';
  readonly ours: Contender;
  readonly peers?: Readonly<Record<string, Contender>>;
  /** What the figure is about: sizes, concurrency, which process does what. Printed below the table. */
  readonly note?: string;
  /** Seconds after which one run counts as hung and fails the row (default 120). */
  readonly limit?: number;
}

export interface Contender {
  /** What it was tuned to, so that a reader can judge the comparison. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Done once before the warm-up, outside the measurement. Release what it acquires in `close`. */
  prepare?(): Promise<void> | void;
  /** One run. Must throw (see `proof.ts`) when what should have been delivered was not. */
  run(): Promise<Sample> | Sample;
  /** Called once after the last run, also after a failed one. */
  close?(): Promise<void> | void;
  /**
   * Processes whose work belongs to this contender but which are not descendants of the bench process (a server
   * started elsewhere). Descendants are counted by themselves.
   */
  pids?(): readonly number[];
}

export interface Sample {
  /** In the row's unit. */
  readonly value: number;
  /** How many operations the run did; what the CPU cost is divided by. */
  readonly operations: number;
  /** CPU time of the measured part alone (`throughput` fills it in); without it the whole run counts, proofs included. */
  readonly cpuSeconds?: number;
}

/** What is written to JSON. */
export interface Row {
  readonly area: string;
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Medians of the counted runs; null where the contender failed. */
  readonly ours: number | null;
  readonly peers: Readonly<Record<string, number | null>>;
  /** How many times better ours is than that peer: larger is better, for times too. */
  readonly ratio: Readonly<Record<string, number>>;
  /** The counted runs in order, each with the value of every contender. */
  readonly runs: readonly Readonly<Record<string, number>>[];
  readonly min: Readonly<Record<string, number>>;
  readonly max: Readonly<Record<string, number>>;
  /** Median user + system seconds per 1,000 operations, the processes that do the work included. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, NonNullable<Contender['settings']>>>;
  readonly note?: string;
  /** Contender → why it failed; a row with failures makes the bench exit with 1. */
  readonly failures: Readonly<Record<string, string>>;
}

/**
 * Measures one row: a warm-up of every contender, then the counted runs in the order A B, B A, A B…, so that a
 * machine that grows slower or warmer in the meantime favours nobody.
 */
export async function measure(area: string, plan: RowPlan, context: Pick<BenchContext, 'runs' | 'withPeers'>) {
  const peers = context.withPeers ? Object.entries(plan.peers ?? {}) : [];
  const lanes = [['ours', plan.ours] as const, ...peers].map(([name, contender]) => new Lane(name, contender));
  try {
    for (const lane of lanes) await lane.prepare();
    for (let round = 0; round <= context.runs; round++) {
      for (const lane of round % 2 === 0 ? lanes.toReversed() : lanes) await lane.run(plan.limit ?? 120, round > 0);
    }
  } finally {
    for (const lane of lanes) await lane.close();
  }
  return summary(area, plan, lanes);
}

/**
 * Times `work`, which does `operations` of them, and gives the throughput per second. What stands before and after it
 * in a run (set-up, proof of delivery) costs the contender nothing. `pids` as in `Contender`.
 */
export async function throughput(
  operations: number,
  work: () => unknown,
  pids: readonly number[] = [],
): Promise<Sample> {
  const before = cpuSeconds(pids);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  return { value: operations / seconds, operations, cpuSeconds: cpuSeconds(pids) - before };
}

/** One contender on its way through a row; a failure takes it out of the race and is kept. */
class Lane {
  readonly name: string;
  readonly contender: Contender;
  readonly values: number[] = [];
  readonly cpu: number[] = [];
  failure: string | undefined;

  constructor(name: string, contender: Contender) {
    this.name = name;
    this.contender = contender;
  }

  async prepare(): Promise<void> {
    await this.#guard(async () => this.contender.prepare?.());
  }

  async run(limit: number, counted: boolean): Promise<void> {
    await this.#guard(async () => {
      const before = cpuSeconds(this.contender.pids?.());
      const sample = await within(limit, this.contender.run());
      const spent = sample.cpuSeconds ?? cpuSeconds(this.contender.pids?.()) - before;
      if (!Number.isFinite(sample.value)) throw new Error(`the run gave ${sample.value}`);
      if (!counted) return;
      this.values.push(sample.value);
      this.cpu.push((spent / sample.operations) * 1000);
    });
  }

  async close(): Promise<void> {
    const failure = this.failure;
    this.failure = undefined;
    await this.#guard(async () => this.contender.close?.());
    this.failure = failure ?? this.failure;
  }

  async #guard(step: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
}

async function within<T>(seconds: number, work: Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new TimeoutError(`a run took more than ${seconds} s`, { timeout: seconds }));
    timer = setTimeout(fail, seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function summary(area: string, plan: RowPlan, lanes: readonly Lane[]): Row {
  const [ours, ...peers] = lanes as [Lane, ...Lane[]];
  const well = lanes.filter((lane) => lane.failure === undefined);
  return {
    area,
    name: plan.name,
    unit: plan.unit,
    better: plan.better,
    ours: value(ours),
    peers: Object.fromEntries(peers.map((peer) => [peer.name, value(peer)])),
    ratio: ratios(plan.better, ours, peers),
    runs: ours.values.map((_, run) => pick(well, (lane) => lane.values[run]!)),
    min: pick(well, (lane) => Math.min(...lane.values)),
    max: pick(well, (lane) => Math.max(...lane.values)),
    cpu: pick(well, (lane) => median(lane.cpu)),
    settings: Object.fromEntries(lanes.map((lane) => [lane.name, lane.contender.settings ?? {}])),
    ...(plan.note === undefined ? {} : { note: plan.note }),
    failures: Object.fromEntries(
      lanes.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]])),
    ),
  };
}

function value(lane: Lane): number | null {
  return lane.failure === undefined ? median(lane.values) : null;
}

function ratios(better: RowPlan['better'], ours: Lane, peers: readonly Lane[]): Record<string, number> {
  const mine = value(ours);
  const entries = peers.flatMap((peer) => {
    const theirs = value(peer);
    if (mine === null || theirs === null) return [];
    return [[peer.name, better === 'higher' ? mine / theirs : theirs / mine] as const];
  });
  return Object.fromEntries(entries);
}

function pick(lanes: readonly Lane[], of: (lane: Lane) => number): Record<string, number> {
  return Object.fromEntries(lanes.map((lane) => [lane.name, of(lane)]));
}
