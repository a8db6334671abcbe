export { Barrier } from '../multiprocessing/barrier.ts';
export { Condition } from '../multiprocessing/condition.ts';
export { Event } from '../multiprocessing/event.ts';
export { Lock } from '../multiprocessing/lock.ts';
export { RLock } from '../multiprocessing/rlock.ts';
export { BoundedSemaphore, Semaphore } from '../multiprocessing/semaphore.ts';
