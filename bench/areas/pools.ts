import type { BenchContext, Contender, RowPlan } from '../harness.ts';
import { peerVersion } from '../peers.ts';
import { inChild, inPython } from './pools/child.ts';
import type { Kind } from './pools/contenders.ts';
import { tuned } from './pools/contenders.ts';

export const title = 'Pools of threads and of processes';

const threadPeers = ['piscina', 'tinypool', 'workerpool', 'poolifier'];
const processPeers = ['tinypool', 'workerpool', 'poolifier'];
export const peers = threadPeers;

const taskSize = 4000; // about 10 ms of CPU
const depth = 100;

// Each contender runs in a process of its own, so that nobody pays for what another has left behind.
export function rows(context: BenchContext): readonly RowPlan[] {
  return [...calls(context), ...lanes(context), ...lifetimes(context)];
}

interface Calls {
  readonly name: string;
  readonly kind: Kind;
  readonly payload: 'noop' | '1k';
  /** Tasks of ours; the peers do a part of it, so that a run takes about as long. */
  readonly tasks: number;
  /** Tasks under way; all at once without. */
  readonly depth?: number;
}

function calls(context: BenchContext): RowPlan[] {
  return [
    row({ name: 'threads-noop', kind: 'threads', payload: 'noop', tasks: context.count(1_000_000), depth }),
    row({ name: 'threads-1k', kind: 'threads', payload: '1k', tasks: context.count(1_000_000), depth }),
    row({ name: 'processes-noop', kind: 'processes', payload: 'noop', tasks: context.count(1_000_000), depth }),
    row({ name: 'processes-1k', kind: 'processes', payload: '1k', tasks: context.count(1_000_000), depth }),
    row({ name: 'threads-burst', kind: 'threads', payload: 'noop', tasks: context.count(400_000) }),
  ];
}

function row({ name, kind, payload, tasks, depth }: Calls): RowPlan {
  const theirs = tasks / 20;
  const under = (n: number) => depth ?? n;
  const against = (peer: string): Contender => ({
    settings: { version: peerVersion(peer), ...tuned[peer] },
    run: () => inChild(payload, kind, peer, theirs, under(theirs)),
  });
  const names = kind === 'threads' ? threadPeers : processPeers;
  const what = payload === 'noop' ? 'a number' : 'a string of 1 KB';
  const how = depth === undefined ? 'all submitted at once' : `${depth} under way`;
  return {
    name,
    unit: 'task/s',
    better: 'higher',
    note: `${tasks} calls (the others ${theirs}) with ${what} that comes back, 2 workers, ${how}; every result compared, and the calls that ran counted in the workers`,
    ours: { run: () => inChild(payload, kind, 'ours', tasks, under(tasks)) },
    peers: {
      ...Object.fromEntries(names.map((peer) => [peer, against(peer)])),
      cpython: { run: () => inPython(`${kind}-${payload}`, theirs, under(theirs)) },
    },
  };
}

function lanes(context: BenchContext): RowPlan[] {
  const [items, trips, seconds] = [context.count(500_000), context.count(50_000), context.quick ? 1 : 3];
  return [
    {
      name: 'map',
      unit: 'item/s',
      better: 'higher',
      note: `Pool.map of ${items} numbers, 2 processes, chunk size by default`,
      ours: { run: () => inChild('map', items) },
      peers: { cpython: { run: () => inPython('map', items) } },
    },
    {
      name: 'depth1',
      unit: 'µs',
      better: 'lower',
      note: 'one call after the other on a pool of threads, against a bare postMessage to a Worker and back; mean',
      ours: { run: () => inChild('depth1', trips) },
      peers: { postMessage: { run: () => inChild('postMessage', trips) } },
    },
    {
      name: 'loop-delay',
      unit: 'ms',
      better: 'lower',
      note: `how late a 1 ms timer of the caller is (99th percentile) while it keeps 1,000 tasks under way on 2 threads for ${seconds} s; busy-threads: it does nothing, and 2 threads spin`,
      ours: { run: () => inChild('delay', 'ours', seconds) },
      peers: Object.fromEntries(
        [...threadPeers, 'busy-threads'].map((name) => [name, { run: () => inChild('delay', name, seconds) }]),
      ),
    },
  ];
}

function lifetimes(context: BenchContext): RowPlan[] {
  const tasks = context.count(400);
  const times = context.quick ? 4 : 11;
  const start = { unit: 'ms', better: 'lower' } as const;
  return [
    {
      name: 'recycle-25',
      unit: 'task/s',
      better: 'higher',
      note: `${tasks} tasks of about 20 ms of CPU on 2 processes of a fork server that has loaded their module, each process replaced after 25`,
      ours: { run: () => inChild('recycle', 25, tasks, 2 * taskSize) },
      peers: { 'no-recycle': { run: () => inChild('recycle', Infinity, tasks, 2 * taskSize) } },
    },
    {
      ...start,
      name: 'startup-forkserver',
      note: `until 2 processes have answered, the template being there; median of ${times - 1} pools`,
      ours: { run: () => inChild('startup', 'forkserver', times) },
      peers: { spawn: { run: () => inChild('startup', 'spawn', times) } },
    },
    {
      ...start,
      name: 'startup-forkserver-cold',
      note: 'the first pool of a program, the start of the template included',
      ours: { run: () => inChild('startup', 'forkserver', 1) },
      peers: { spawn: { run: () => inChild('startup', 'spawn', 1) } },
    },
    {
      name: 'cpu-prefork',
      unit: 'task/s',
      better: 'higher',
      note: `${tasks} tasks of about 10 ms of arithmetic and garbage in 2 forked processes (V8 without helper threads), against spawned ones`,
      ours: { run: () => inChild('cpu', 'forkserver', tasks, taskSize) },
      peers: { spawn: { run: () => inChild('cpu', 'spawn', tasks, taskSize) } },
    },
  ];
}
