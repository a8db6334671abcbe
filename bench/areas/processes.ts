import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { close, fdopen, forkFlags, mkfifo, openFifo, pipe } from '../../src/entry/os.ts';
import { checkOutput, PIPE, Popen } from '../../src/entry/subprocess.ts';
import type { BenchContext, Contender, RowPlan, Sample } from '../harness.ts';
import { throughput } from '../harness.ts';

export const title = 'Starting programs, forking, pipes';

const child = fileURLToPath(new URL('../processes-child.js', import.meta.url));
const chunk = 65536;

export function rows(context: BenchContext): readonly RowPlan[] {
  const [runs, large, forks] = [context.count(300), Math.max(10, context.count(50)), context.count(200)];
  const megabytes = context.count(1500);
  const ms = { unit: 'ms', better: 'lower' } as const;
  return [
    {
      ...ms,
      name: 'run-true',
      note: 'one /bin/true after the other, started, seen to end, reaped, median; run and node-spawn with their defaults (ours inherits the standard streams, Node makes pipes), node-spawn-inherit with what ours has',
      ours: inChild('run-ours', runs),
      peers: {
        'node-spawn': inChild('run-node', runs),
        'node-spawn-inherit': inChild('run-node-inherit', runs),
        cpython: python(runs),
      },
    },
    {
      ...ms,
      name: 'run-true-800mb',
      note: 'the same from a process that holds 800 MB',
      ours: inChild('run-ours', large, 800),
      peers: { 'node-spawn': inChild('run-node', large, 800) },
    },
    {
      ...ms,
      name: 'loop-block',
      note: 'how long starting a program keeps the event loop, median',
      ours: inChild('block-ours', runs),
      peers: { 'node-spawn': inChild('block-node', runs) },
    },
    {
      ...ms,
      name: 'loop-block-800mb',
      ours: inChild('block-ours', large, 800),
      peers: { 'node-spawn': inChild('block-node', large, 800) },
    },
    {
      ...ms,
      name: 'fork-wait',
      note: 'fork, _exit in the child, waitpid; median',
      ours: inChild('fork-ours', forks, 0, forkFlags),
      peers: { 'child_process.fork': inChild('fork-node', Math.max(5, Math.floor(forks / 10))) },
    },
    {
      ...carried('pipe', megabytes, `; chunks ${lent}`),
      ours: bytes(megabytes, pipeOutput),
      peers: { 'node-stdio': bytes(megabytes, nodeOutput) },
    },
    {
      ...carried('pipe-kept', megabytes, '; stdout of a Popen, each chunk in memory of its own, as with Node'),
      ours: bytes(megabytes, popenOutput),
      peers: { 'node-stdio': bytes(megabytes, nodeOutput) },
    },
    {
      ...carried('fifo', megabytes, `; chunks ${lent}`),
      ours: bytes(megabytes, (n) => fifoOutput(join(context.directory, 'fifo'), n)),
      peers: { 'node-stdio': bytes(megabytes, nodeOutput) },
    },
  ];
}

const lent = 'lent until the next (reuseBuffer), which child stdio of Node cannot do';

function carried(name: string, megabytes: number, more: string) {
  const note = `${megabytes} MB from dd, which writes ${chunk / 1024} KB at a time${more}`;
  return { name, unit: 'MB/s', better: 'higher', note } as const;
}

function inChild(what: string, count: number, megabytes = 0, flags: readonly string[] = []): Contender {
  return {
    settings: { programs: count },
    run: async () => {
      const args = [process.execPath, ...flags, child, what, String(count), String(megabytes)];
      return { value: Number(await checkOutput(args, { text: true })), operations: count };
    },
  };
}

const pythonProgram = `
import statistics, subprocess, sys, time
n = int(sys.argv[1])
times = []
for _ in range(n + 5):
    start = time.perf_counter()
    subprocess.run(['/bin/true'])
    times.append(time.perf_counter() - start)
print(statistics.median(times[5:]) * 1000)
`;

function python(count: number): Contender {
  return {
    run: async () => {
      const output = await checkOutput(['python3', '-c', pythonProgram, String(count)], { text: true });
      return { value: Number(output), operations: count };
    },
  };
}

function bytes(megabytes: number, open: (megabytes: number) => Promise<Readable> | Readable): Contender {
  return {
    run: async (): Promise<Sample> => {
      let total = 0;
      const sample = await throughput(megabytes, async () => {
        const stream = await open(megabytes);
        stream.on('data', (data: Buffer) => (total += data.length));
        await once(stream, 'end');
      });
      if (total !== megabytes * 2 ** 20) throw new Error(`${total} bytes of ${megabytes} MB arrived`);
      return sample;
    },
  };
}

function dd(megabytes: number, ...to: string[]): string[] {
  return ['dd', 'if=/dev/zero', `bs=${chunk}`, `count=${megabytes * 16}`, 'status=none', ...to];
}

function pipeOutput(megabytes: number): Readable {
  const [r, w] = pipe();
  void new Popen(dd(megabytes), { stdout: w }).wait();
  close(w);
  return fdopen(r, 'r', { reuseBuffer: true });
}

function popenOutput(megabytes: number): Readable {
  return new Popen(dd(megabytes), { stdout: PIPE }).stdout!;
}

function nodeOutput(megabytes: number): Readable {
  const [program, ...args] = dd(megabytes);
  return spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
}

let made = '';

function fifoOutput(path: string, megabytes: number): Promise<Readable> {
  if (made !== path) mkfifo((made = path));
  void new Popen(dd(megabytes, `of=${path}`)).wait();
  return openFifo(path, 'r', { timeout: 20, reuseBuffer: true });
}
