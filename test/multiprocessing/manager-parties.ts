import type { Proxy, Queue } from '../../src/entry/multiprocessing.ts';
import type { Referents } from '../../src/multiprocessing/manager-server.ts';

export async function useManaged(
  scores: Proxy<Referents<number>['dict']>,
  list: Proxy<Referents<number>['list']>,
  queue: Proxy<Referents<string>['queue']>,
  lock: Proxy<Referents['lock']>,
  done: Queue<string>,
): Promise<void> {
  await lock.acquire();
  await scores.set('anna', (await scores.get('anna'))! + 1);
  await scores.update({ ben: 5 });
  await list.append(3);
  await lock.release();
  await queue.put('from the child');
  await done.put('done');
}

export async function waitForRelease(release: Queue<string>): Promise<void> {
  await release.get();
}

export async function holdAll(
  rlock: Proxy<Referents['rlock']>,
  semaphore: Proxy<Referents['semaphore']>,
  barrier: Proxy<Referents['barrier']>,
  jobs: Proxy<Referents<string>['queue']>,
): Promise<void> {
  await rlock.acquire();
  await rlock.acquire();
  await semaphore.acquire();
  await semaphore.acquire();
  await jobs.put('job');
  await barrier.wait();
  await jobs.get();
  await jobs.taskDone();
  await new Promise((resolve) => setTimeout(resolve, 1e9));
}

export async function waitForChange(
  condition: Proxy<Referents['condition']>,
  stage: Proxy<Referents<string>['list']>,
): Promise<void> {
  await condition.acquire();
  await stage.append('waiting');
  await condition.wait();
  await stage.append('woken');
  await condition.release();
}
