import asyncio
from asyncio_virtual import outcome, run, say, settled


async def fairness():
    for lock in (asyncio.Lock(), asyncio.Semaphore(1), asyncio.BoundedSemaphore(1)):
        await lock.acquire()

        async def visit(name):
            async with lock:
                say(name, "in")
                await asyncio.sleep(1)
            say(name, "out")

        tasks = [asyncio.create_task(visit(name)) for name in "abcd"]
        await asyncio.sleep(1)
        tasks[1].cancel()
        lock.release()
        for task in tasks:
            await outcome(task)
        say("locked" if lock.locked() else "free")


async def permits():
    slots = asyncio.Semaphore(2)

    async def visit(name):
        async with slots:
            say(name, "in")
            await asyncio.sleep(1)

    await asyncio.gather(*[visit(name) for name in "abcde"])


async def misuse():
    for call in (asyncio.Lock().release, asyncio.BoundedSemaphore(1).release, asyncio.Condition().notify):
        try:
            call()
        except (RuntimeError, ValueError) as error:
            say(str(error).replace("set_", "set"))


async def events():
    event = asyncio.Event()

    async def wait(name):
        await event.wait()
        say(name, "woken")

    tasks = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(1)
    tasks[1].cancel()
    event.set()
    event.clear()
    for task in tasks:
        await outcome(task)
    say("set" if event.is_set() else "clear")
    event.set()
    say("passes", await event.wait())


async def conditions():
    condition = asyncio.Condition()

    async def wait(name):
        async with condition:
            await condition.wait()
            say(name, "notified")

    tasks = [asyncio.create_task(wait(name)) for name in "abcd"]
    await asyncio.sleep(1)
    tasks[1].cancel()
    await asyncio.sleep(1)
    async with condition:
        condition.notify(2)
        say("notified two")
    await asyncio.sleep(1)
    async with condition:
        condition.notify_all()
    for task in tasks:
        await outcome(task)
    say("locked" if condition.locked() else "free")


async def predicate():
    condition = asyncio.Condition()
    stock = []

    async def buy():
        async with condition:
            say("got", await condition.wait_for(lambda: len(stock)))

    task = asyncio.create_task(buy())
    for item in range(2):
        await asyncio.sleep(1)
        async with condition:
            if item:
                stock.append(item)
            condition.notify()
    await task


async def barriers():
    barrier = asyncio.Barrier(3)

    async def come(name, seconds):
        await asyncio.sleep(seconds)
        place = await barrier.wait()
        say(name, place)
        await asyncio.sleep(1)
        return await barrier.wait()

    say(sorted(await asyncio.gather(come("a", 2), come("b", 1), come("c", 3))) == [0, 1, 2])
    waiting = asyncio.create_task(barrier.wait())
    await settled()
    say("waiting", barrier.n_waiting)
    waiting.cancel()
    await settled()
    say("waiting", barrier.n_waiting, "broken" if barrier.broken else "whole")
    waiting = asyncio.create_task(barrier.wait())
    await settled()
    await barrier.abort()
    say(await outcome(waiting), await outcome(barrier.wait()), "broken" if barrier.broken else "whole")
    await barrier.reset()
    waiting = asyncio.create_task(barrier.wait())
    await settled()
    await barrier.reset()
    say(await outcome(waiting), "broken" if barrier.broken else "whole")


run(fairness, permits, misuse, events, conditions, predicate, barriers)
