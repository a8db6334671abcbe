import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { cpuSeconds } from '../../cpu.ts';
import type { Sample } from '../../harness.ts';
import { median } from '../../statistics.ts';

/** What clients do: `clients` at once open connections with `requests` each, until there were `total` requests. */
export interface Load {
  readonly clients: number;
  readonly requests: number;
  readonly total: number;
  readonly size: number;
}

/** What the process of the load is told: many clients at once, one connection after the other, or datagrams. */
export interface Order {
  readonly kind: 'clients' | 'connections' | 'datagrams';
  readonly port: number;
  readonly load: Load;
}

/** What it answers; `times` of each connection. */
export interface Outcome {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly times: readonly number[];
}

/** The load, which is the same for all contenders: bare system calls, in a process of its own. */
export class LoadProcess {
  readonly #child: ChildProcess = fork(resolve(import.meta.dirname, 'load-process.js'));

  /** Requests per second. */
  requestsPerSecond(port: number, load: Load): Promise<Sample> {
    return this.#rate({ kind: 'clients', port, load });
  }

  /** Round trips per second on connections that stay. */
  roundTrips(port: number, load: Load): Promise<Sample> {
    return this.requestsPerSecond(port, { ...load, requests: load.total / load.clients });
  }

  /** Datagrams there and back per second, `clients` under way at a time. */
  datagrams(port: number, load: Load): Promise<Sample> {
    return this.#rate({ kind: 'datagrams', port, load });
  }

  /** The median time of a connection with its requests, divided by their number, in milliseconds. */
  async latency(port: number, load: Load): Promise<Sample> {
    const { times } = await this.#do({ kind: 'connections', port, load });
    return { value: median([...times]), operations: load.total };
  }

  close(): void {
    this.#child.kill();
  }

  // The CPU time is that of the server: the cost of the load is not the contender's.
  async #rate(order: Order): Promise<Sample> {
    const before = cpuSeconds();
    const outcome = await this.#do(order);
    const { total } = order.load;
    return {
      value: total / outcome.seconds,
      operations: total,
      cpuSeconds: cpuSeconds() - before - outcome.cpuSeconds,
    };
  }

  async #do(order: Order): Promise<Outcome> {
    const ended = new AbortController();
    const exit = once(this.#child, 'exit', ended).then(() => {
      throw new Error('the process of the load has ended');
    });
    this.#child.send(order);
    try {
      const [outcome] = (await Promise.race([once(this.#child, 'message', ended), exit])) as [Outcome];
      return outcome;
    } finally {
      exit.catch(() => {});
      ended.abort();
    }
  }
}
