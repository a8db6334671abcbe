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

async function waits(): Promise<void> {
  const [one, two] = [multiprocessing.Pipe<number>(), multiprocessing.Pipe<number>()];
  const ready = async (timeout?: number) => (await multiprocessing.wait([one[0], two[0]], { timeout })).length;
  await attempt('none', () => ready(0));
  await attempt('none in time', () => ready(0.01));
  await one[1].send(1);
  await attempt('a message', () => ready());
  two[1].close();
  await attempt('and an end', () => ready());
  await one[0].recv();
  await attempt('the end', () => ready());
  const process = new multiprocessing.Process(leave, [0]).start();
  const both = [process.sentinel, one[0]];
  await attempt('a process', async () => (await multiprocessing.wait(both)).length);
  await process.join();
  process.close();
  await attempt('nothing', async () => (await multiprocessing.wait([], { timeout: 0 })).length);
}

async function threads(): Promise<void> {
  const thread = new threading.Thread(() => {}, [], { name: 'worker', daemon: true });
  await attempt('name', () => thread.name);
  await attempt('daemon', () => thread.daemon);
  await attempt('alive', () => thread.isAlive());
  await attempt('ident', () => thread.ident);
  await attempt('join', () => thread.join());
  thread.start();
  await attempt('start', () => thread.start());
  await thread.join();
  await attempt('alive', () => thread.isAlive());
  await attempt('active', () => threading.activeCount());
  await attempt('main', () => threading.currentThread().name);
  const timer = new threading.Timer(60, () => {}, []).start();
  await attempt('alive', () => timer.isAlive());
  timer.cancel();
  await timer.join();
  await attempt('alive', () => timer.isAlive());
}

async function managers(): Promise<void> {
  await using manager = await multiprocessing.Manager();
  const scores = await manager.dict<number>({ anna: 1 });
  await scores.set('ben', 2);
  await attempt('get', () => scores.get('anna'));
  await attempt('missing', () => scores.get('carl'));
  await attempt('setdefault', () => scores.setdefault('ben', 9));
  await attempt('has', () => scores.has('ben'));
  await attempt('size', () => scores.size());
  await attempt('keys', async () => (await scores.keys()).join());
  const items = await manager.list([1, 2]);
  await items.append(3);
  await attempt('last', () => items.get(-1));
  await attempt('pop', () => items.pop());
  await attempt('pop first', () => items.pop(0));
  await attempt('beyond', () => items.get(5));
  await attempt('length', () => items.length());
  const values = await manager.Queue<number>(1);
  await values.put(1);
  await attempt('full', () => values.putNowait(2));
  await attempt('get', () => values.get());
  await attempt('empty', () => values.getNowait());
  const lock = await manager.Lock();
  await attempt('acquire', () => lock.acquire());
  await attempt('again', () => lock.tryAcquire());
  await attempt('release', () => lock.release());
  await attempt('release', () => lock.release());
  const semaphore = await manager.BoundedSemaphore(1);
  await attempt('acquire', () => semaphore.acquire());
  await attempt('release', () => semaphore.release());
  await attempt('release', () => semaphore.release());
  const rlock = await manager.RLock();
  for (let i = 0; i < 2; i++) await attempt('acquire', () => rlock.acquire());
  for (let i = 0; i < 3; i++) await attempt('release', () => rlock.release());
  const event = await manager.Event();
  await attempt('wait', () => event.wait(soon));
  await attempt('set', () => event.set());
  await attempt('wait', () => event.wait());
  const value = await manager.Value(5);
  await value.set(6);
  await attempt('value', () => value.get());
  const numbers = await manager.Array('b', [1, 2]);
  await numbers.set(1, 127);
  await attempt('number', () => numbers.get(1));
  await attempt('too large', () => numbers.set(0, 128));
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
  for (const area of [orders, processes, values, pipes, waits, threads, managers]) {
    console.log('#', area.name);
    await area();
  }
}
