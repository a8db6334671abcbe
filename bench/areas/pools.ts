import type { BenchContext, Contender, RowPlan } from '../harness.ts';
import { peerVersion } from '../peers.ts';
import { inChild, inPython } from './pools/child.ts';
import type { Kind } from './pools/contenders.ts';
import { tuned } from './pools/contenders.ts';

export const title = 'Pools of threads and of processes';

const threadPeers = ['piscina', 'tinypool', 'workerpool', 'poolifier'];
const processPeers = ['tinypool', 'workerpool', 'poolifier'];
export const peers = threadPeers;

const taskSize = 2500; // about 10 ms

// Each contender runs in a process of its own, so that nobody pays for what another has left behind.
export function rows(context: BenchContext): readonly RowPlan[] {
  return [...calls(context), ...lanes(context), ...lifetimes(context)];
}

function calls(context: BenchContext): RowPlan[] {
  const row = (kind: Kind, payload: 'noop' | '1k', full: number): RowPlan => {
    const n = context.count(full);
    const against = (peer: string): Contender => ({
      settings: { version: peerVersion(peer), ...tuned[peer] },
      run: () => inChild(payload, kind, peer, n / 4),
    });
    const names = kind === 'threads' ? threadPeers : processPeers;
    return {
      name: `${kind}-${payload}`,
      unit: 'task/s',
      better: 'higher',
      note: `${payload === 'noop' ? 'a number' : 'a string of 1 KB'} there and back, 2 workers, all ${n} tasks (peers ${n / 4}) submitted at once; every result compared, and the tasks that ran counted in the workers`,
      ours: { settings: { tasks: n }, run: () => inChild(payload, kind, 'ours', n) },
      peers: {
        ...Object.fromEntries(names.map((name) => [name, against(name)])),
        cpython: { settings: { tasks: n / 10 }, run: () => inPython(`${kind}-${payload}`, n / 10) },
      },
    };
  };
  return [
    row('threads', 'noop', 400_000),
    row('threads', '1k', 100_000),
    row('processes', 'noop', 400_000),
    row('processes', '1k', 100_000),
  ];
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
      note: `how late a 1 ms timer of the caller is (99th percentile) while it keeps 1,000 tasks under way on 2 threads for ${seconds} s`,
      ours: { run: () => inChild('delay', 'ours', seconds) },
      peers: Object.fromEntries(
        threadPeers.map((name) => [name, { run: () => inChild('delay', name, seconds) }] as const),
      ),
    },
  ];
}

function lifetimes(context: BenchContext): RowPlan[] {
  const tasks = context.count(1000);
  const times = context.quick ? 4 : 11;
  const start = { unit: 'ms', better: 'lower' } as const;
  return [
    {
      name: 'recycle-25',
      unit: 'task/s',
      better: 'higher',
      note: `${tasks} tasks of about 10 ms of CPU on 2 processes of a fork server, each process replaced after 25`,
      ours: { run: () => inChild('recycle', 25, tasks, taskSize) },
      peers: { 'no-recycle': { run: () => inChild('recycle', Infinity, tasks, taskSize) } },
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
