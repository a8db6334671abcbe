// The same calls as in shared_objects.py; what Python answers by False within a time, we throw TimeoutError for.
import { isWorker, portable } from '../../src/entry/callable.ts';
import { EmptyError, FullError, TimeoutError } from '../../src/entry/errors.ts';
import * as multiprocessing from '../../src/entry/multiprocessing.ts';
import * as threading from '../../src/entry/threading.ts';

type Module = typeof threading | typeof multiprocessing;
const soon = { timeout: 0.01 };

async function attempt(
  what: string,
  call: () => unknown,
  late: 'false' | 'full' | 'empty' | 'error' = 'false',
): Promise<void> {
  console.log(what, await outcome(call, late));
}

async function outcome(call: () => unknown, late: string): Promise<string> {
  try {
    const result = (await call()) as string | number | boolean | null | undefined;
    return String(result ?? 'none').toLowerCase();
  } catch (error) {
    if (error instanceof FullError) return 'full';
    if (error instanceof EmptyError) return 'empty';
    return error instanceof TimeoutError ? late : 'error';
  }
}

async function locks(m: Module): Promise<void> {
  const lock = new m.Lock();
  await attempt('acquire', () => lock.acquireSync());
  await attempt('again', () => lock.tryAcquire());
  await attempt('in time', () => lock.acquire(soon));
  await attempt('release', () => lock.release());
  await attempt('release again', () => lock.release());
  const again = new m.RLock();
  for (let i = 0; i < 3; i++) await attempt('acquire', () => again.acquireSync());
  for (let i = 0; i < 4; i++) await attempt('release', () => again.release());
}

async function semaphores(m: Module): Promise<void> {
  const semaphore = new m.Semaphore(2);
  for (let i = 0; i < 3; i++) await attempt('acquire', () => semaphore.tryAcquire());
  for (let i = 0; i < 4; i++) await attempt('release', () => semaphore.release());
  const bounded = new m.BoundedSemaphore(1);
  await attempt('over', () => bounded.release());
  await attempt('acquire', () => bounded.acquireSync());
  await attempt('release', () => bounded.release());
  await attempt('over', () => bounded.release());
  await attempt('negative', () => new m.Semaphore(-1));
}

async function events(m: Module): Promise<void> {
  const event = new m.Event();
  await attempt('is set', () => event.isSet());
  await attempt('wait', () => event.wait(soon));
  await attempt('set', () => event.set());
  await attempt('wait', () => event.waitSync());
  await attempt('clear', () => event.clear());
  await attempt('is set', () => event.isSet());
}

async function conditions(m: Module): Promise<void> {
  const condition = new m.Condition();
  await attempt('notify', () => condition.notify());
  await attempt('wait', () => condition.wait());
  condition.acquireSync();
  await attempt('notify', () => condition.notify());
  await attempt('wait', () => condition.wait(soon));
  await attempt('wait for', () => condition.waitForSync(() => false, soon));
  await attempt('wait for', () => condition.waitFor(() => 7, soon));
  await attempt('release', () => condition.release());
}

async function barriers(m: Module): Promise<void> {
  const one = new m.Barrier(1);
  await attempt('alone', () => one.wait());
  await attempt('waiting', () => one.nWaiting);
  const two = new m.Barrier(2);
  await attempt('parties', () => two.parties);
  await attempt('wait', () => two.wait(soon), 'error');
  await attempt('broken', () => two.broken);
  await attempt('wait', () => two.waitSync());
  await attempt('reset', () => two.reset());
  await attempt('broken', () => two.broken);
  await attempt('abort', () => two.abort());
  await attempt('broken', () => two.broken);
}

async function queues(q: threading.Queue<number> | multiprocessing.JoinableQueue<number>): Promise<void> {
  await attempt('empty', () => q.getNowait());
  await attempt('put', () => q.put(1));
  await attempt('put', () => q.putSync(2));
  await attempt('put', () => q.putNowait(3));
  await attempt('put', () => q.put(3, soon), 'full');
  await attempt('full', () => q.full());
  await attempt('get', () => q.get());
  await attempt('get', () => q.getSync());
  await attempt('empty', () => q.empty());
  await attempt('get', () => q.get(soon), 'empty');
  await attempt('done', () => q.taskDone());
  await attempt('done', () => q.taskDone());
  await attempt('done', () => q.taskDone());
  await attempt('join', () => q.join());
}

async function orders(): Promise<void> {
  const [stack, ranked] = [new threading.LifoQueue<number>(), new threading.PriorityQueue<number>()];
  for (const item of [3, 1, 2]) {
    await stack.put(item);
    await ranked.put(item);
  }
  for (let i = 0; i < 3; i++) {
    await attempt('last', () => stack.get());
    await attempt('least', () => ranked.get());
  }
}

export const leave = portable(import.meta, 'leave', (code: number) => process.exit(code));
export const fail = portable(import.meta, 'fail', () => {
  process.stderr.write = () => true;
  throw new Error('on purpose');
});
export const sleep = portable(import.meta, 'sleep', () => new Promise((resolve) => setTimeout(resolve, 60_000)));

async function processes(): Promise<void> {
  const { Process } = multiprocessing;
  for (const process of [new Process(leave, [0]), new Process(leave, [3]), new Process(fail, [])]) {
    await attempt('alive', () => process.isAlive());
    await attempt('join', () => process.join());
    process.start();
    await attempt('start', () => process.start());
    await process.join();
    await attempt('exit code', () => process.exitcode);
    await attempt('alive', () => process.isAlive());
  }
  for (const end of ['terminate', 'kill'] as const) {
    const process = new Process(sleep, []).start();
    await attempt('close', () => process.close());
    process[end]();
    await process.join();
    await attempt('exit code', () => process.exitcode);
    await attempt('close', () => process.close());
  }
}

async function values(): Promise<void> {
  const number = new multiprocessing.Value('i', 5);
  await attempt('value', () => number.value);
  const numbers = new multiprocessing.Array('i', [1, 2, 3]);
  await attempt('last', () => numbers.get(-1));
  await attempt('beyond', () => numbers.get(3));
  await attempt('length', () => numbers.length);
  await attempt('type', () => new multiprocessing.Value('i', 1.5));
  using items = new multiprocessing.ShareableList([1.5, 'text', null, true]);
  await attempt('item', () => items.get(1));
  await attempt('set', () => items.set(1, '12345678'));
  await attempt('item', () => items.get(1));
  await attempt('too long', () => items.set(1, '123456789'));
  await attempt('beyond', () => items.get(4));
  await attempt('count', () => items.count(null));
  await attempt('index', () => items.index(true));
}

async function pipes(): Promise<void> {
  const [reader, writer] = multiprocessing.Pipe(false);
  await attempt('poll', () => reader.poll());
  await attempt('send', () => writer.send(7));
  await attempt('poll', () => reader.poll());
  await attempt('receive', () => reader.recv());
  await attempt('send the wrong way', () => reader.send(1));
  writer.close();
  await attempt('end', () => reader.recv());
  await attempt('closed', () => writer.send(1));
}

if (!isWorker()) await main();

async function main(): Promise<void> {
  for (const m of [threading, multiprocessing]) {
    for (const area of [locks, semaphores, events, conditions, barriers]) {
      console.log('#', area.name);
      await area(m);
    }
  }
  for (const queue of [new threading.Queue<number>(2), new multiprocessing.JoinableQueue<number>(2)]) {
    console.log('# queues');
    await queues(queue);
  }
  for (const area of [orders, processes, values, pipes]) {
    console.log('#', area.name);
    await area();
  }
}
