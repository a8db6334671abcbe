import asyncio
from asyncio_virtual import kind, outcome, run, say


async def work(name, seconds):
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        say(name, "cancelled", asyncio.current_task().cancelling())
        raise
    return name


async def limited(limit, name, seconds):
    async with asyncio.timeout(limit):
        return await work(name, seconds)


async def simple():
    say(await outcome(limited(2, "fast", 1)))
    say(await outcome(limited(2, "slow", 5)))
    say(await outcome(limited(None, "ever", 5)))
    say(await outcome(limited(0, "zero", 5)))
    say(asyncio.current_task().cancelling())


async def nested():
    async def pair(outer, inner, seconds):
        async with asyncio.timeout(outer):
            try:
                async with asyncio.timeout(inner):
                    await work("body", seconds)
            except BaseException as error:
                say("inner", kind(error))
                raise

    say("inner first", await outcome(pair(5, 1, 9)))
    say("outer first", await outcome(pair(1, 5, 9)))
    say("none", await outcome(pair(5, 5, 1)))


async def from_outside():
    task = asyncio.create_task(limited(5, "body", 9))
    await asyncio.sleep(1)
    task.cancel()
    say(await outcome(task), "yes" if task.cancelled() else "no")


async def both():
    async def slow_cleanup():
        async with asyncio.timeout(1):
            try:
                await asyncio.sleep(9)
            finally:
                try:
                    await asyncio.sleep(5)
                except asyncio.CancelledError:
                    say("cleanup cancelled", asyncio.current_task().cancelling())

    task = asyncio.create_task(slow_cleanup())
    await asyncio.sleep(2)
    task.cancel()
    say(await outcome(task))


async def swallowed():
    async def swallow():
        async with asyncio.timeout(1) as scope:
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                say("swallowed", "yes" if scope.expired() else "no")
            await asyncio.sleep(1)
            return "went on"

    say(await outcome(swallow()))
    await asyncio.sleep(1)
    say("still here")


async def other_error():
    async def fail():
        async with asyncio.timeout(1):
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                raise TypeError

    say(await outcome(fail()))


async def rescheduled():
    async def move():
        async with asyncio.timeout(1) as scope:
            loop = asyncio.get_running_loop()
            scope.reschedule(loop.time() + 3)
            await asyncio.sleep(2)
            say("moved", f"{scope.when():g}")
            scope.reschedule(None)
            await asyncio.sleep(10)
            scope.reschedule(loop.time() + 1)
            await asyncio.sleep(9)

    say(await outcome(move()))


async def waiting_for():
    say(await outcome(asyncio.wait_for(work("fast", 1), 2)))
    say(await outcome(asyncio.wait_for(work("slow", 5), 2)))
    task = asyncio.create_task(work("task", 5))
    say(await outcome(asyncio.wait_for(task, 2)), "yes" if task.cancelled() else "no")
    task = asyncio.create_task(work("outer", 9))
    waiting = asyncio.create_task(asyncio.wait_for(task, 20))
    await asyncio.sleep(1)
    waiting.cancel()
    say(await outcome(waiting), "yes" if task.cancelled() else "no")


run(simple, nested, from_outside, both, swallowed, other_error, rescheduled, waiting_for)
