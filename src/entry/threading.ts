export { Barrier } from '../threading/barrier.ts';
export { Condition } from '../threading/condition.ts';
export { Event } from '../threading/event.ts';
export { Lock } from '../threading/lock.ts';
export { RLock } from '../threading/rlock.ts';
export { BoundedSemaphore, Semaphore } from '../threading/semaphore.ts';
