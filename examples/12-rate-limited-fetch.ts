// Fetches forty things, at most ten at a time and at most twenty a second. On a virtual clock, so that it ends at once;
// with `run(main)` the same code keeps the limits in real time.
import { BoundedSemaphore, gather, getRunningLoop, Lock, run, sleep } from 'simul/asyncio';
import { VirtualClock } from 'simul/testing';

/** Lets `perSecond` pass each second, evenly. */
class RateLimit {
  readonly #interval: number;
  readonly #turn = new Lock();
  #next = 0;

  constructor(perSecond: number) {
    this.#interval = 1 / perSecond;
  }

  async pass(): Promise<void> {
    await this.#turn.run(async () => {
      const now = getRunningLoop().time();
      if (this.#next > now) await sleep(this.#next - now);
      this.#next = Math.max(now, this.#next) + this.#interval;
    });
  }
}

const rate = new RateLimit(20);
const slots = new BoundedSemaphore(10);
let [inside, most] = [0, 0];

/** Stands for a request that takes 0.8 seconds. */
async function request(id: number): Promise<number> {
  most = Math.max(most, ++inside);
  await sleep(0.8);
  inside--;
  return id;
}

async function main(): Promise<number> {
  const fetchOne = (id: number) => () =>
    slots.run(async () => {
      await rate.pass();
      return request(id);
    });
  await gather(Array.from({ length: 40 }, (_, id) => fetchOne(id)));
  return getRunningLoop().time();
}

const seconds = await run(main, { clock: new VirtualClock({ autoJump: true }) });
console.log(`40 requests in ${seconds.toFixed(2)} s, at most ${most} at a time`);
if (most > 10) throw new Error('too many at a time');
