export type { Scheduler } from '../asyncio/kernel.ts';
export type { Clock, ClockTimer } from '../base/clock.ts';
export { seeded, VirtualClock } from '../base/virtual-clock.ts';
export type { VirtualClockOptions } from '../base/virtual-clock.ts';
export { explore } from '../testing/explore.ts';
export type { Draw, ExploreOptions } from '../testing/explore.ts';
export { SeededScheduler } from '../testing/seeded-scheduler.ts';
export { Sequencer } from '../testing/sequencer.ts';
export { settled } from '../testing/settled.ts';
