// A master plays 24 guests, 30 moves each: 5 seconds for her move, 55 for the answer. Board after board that takes
// twelve hours; going on to the next board while the guest thinks, one. The clock is virtual, so both take moments.
import { getRunningLoop, Lock, run, sleep, TaskGroup } from 'simul/asyncio';
import { VirtualClock } from 'simul/testing';

const boards = 24;
const moves = 30;
const masterThinks = 5;
const guestThinks = 55;

console.log('one board after another:', await hours(inTurn));
console.log('all boards at once:     ', await hours(together));

/** Every board to its end before the next. */
async function inTurn(): Promise<void> {
  for (let board = 0; board < boards; board++) {
    for (let move = 0; move < moves; move++) {
      await sleep(masterThinks);
      await sleep(guestThinks);
    }
  }
}

/** Every board is a task; the master, who can only think about one of them, is a lock. */
async function together(): Promise<void> {
  const master = new Lock();
  await TaskGroup.run((group) => {
    for (let board = 1; board <= boards; board++) group.createTask(() => play(master), { name: `board ${board}` });
  });
}

async function play(master: Lock): Promise<void> {
  for (let move = 0; move < moves; move++) {
    await master.run(() => sleep(masterThinks));
    await sleep(guestThinks);
  }
}

async function hours(exhibition: () => Promise<void>): Promise<string> {
  const start = performance.now();
  const seconds = await run(
    async () => {
      await exhibition();
      return getRunningLoop().time();
    },
    { clock: new VirtualClock({ autoJump: true }) },
  );
  const real = performance.now() - start;
  if (real > 10_000) throw new Error('that was not virtual time');
  return `${(seconds / 3600).toFixed(2)} h`;
}
