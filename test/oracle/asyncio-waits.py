import asyncio
from asyncio_virtual import outcome, run, say


async def nap(name, seconds, fails=False):
    await asyncio.sleep(seconds)
    if fails:
        raise TypeError(name)
    return name


def make(*plans):
    return [asyncio.create_task(nap(*plan), name=plan[0]) for plan in plans]


def names(tasks):
    return ",".join(sorted(t.get_name() for t in tasks)) or "none"


async def modes():
    for mode in (asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION):
        tasks = make(("a", 1), ("b", 2, True), ("c", 3))
        done, pending = await asyncio.wait(tasks, return_when=mode)
        say(mode, names(done), names(pending))
        await asyncio.gather(*tasks, return_exceptions=True)


async def timeouts():
    tasks = make(("a", 1), ("b", 5))
    done, pending = await asyncio.wait(tasks, timeout=2)
    say(names(done), names(pending))
    done, pending = await asyncio.wait(tasks, timeout=0)
    say(names(done), names(pending))


async def cancelled_waiter():
    tasks = make(("a", 5),)

    async def wait():
        await asyncio.wait(tasks)

    waiter = asyncio.create_task(wait())
    await asyncio.sleep(1)
    waiter.cancel()
    say(await outcome(waiter), await outcome(tasks[0]))


async def completed():
    for next_one in asyncio.as_completed(make(("a", 3), ("b", 1, True), ("c", 2))):
        say(await outcome(next_one))
    for next_one in asyncio.as_completed(make(("a", 1), ("b", 5)), timeout=2):
        say(await outcome(next_one))


run(modes, timeouts, cancelled_waiter, completed)
