import asyncio
from asyncio_virtual import outcome, run, say, settled


async def order():
    async def work(name, delay):
        say(name, "starts")
        await asyncio.sleep(delay)
        say(name, "ends")
        return name

    tasks = [asyncio.create_task(work(name, delay)) for name, delay in [("a", 3), ("b", 1), ("c", 1)]]
    say("created")
    for task in tasks:
        say("joined", await task)


async def yielding():
    async def step(name):
        for i in range(3):
            say(name, i)
            await asyncio.sleep(0)

    await asyncio.gather(step("x"), step("y"))
    asyncio.get_running_loop().call_soon(say, "soon")
    await asyncio.sleep(0)
    say("after")


async def cancel_waiting():
    async def work():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            say("cancelled", error)
            raise
        finally:
            await asyncio.sleep(1)
            say("cleaned up")

    task = asyncio.create_task(work())
    await asyncio.sleep(2)
    say("cancel", "yes" if task.cancel("stop") else "no")
    say(await outcome(task), "yes" if task.cancelled() else "no")
    say("again", "yes" if task.cancel() else "no")


async def cancel_before_start():
    async def work():
        say("never")

    task = asyncio.create_task(work())
    task.cancel()
    say(await outcome(task))


async def swallow():
    async def work():
        for i in range(3):
            try:
                await asyncio.sleep(10)
                say("slept", i)
            except asyncio.CancelledError:
                say("swallowed", i, asyncio.current_task().cancelling())
        return "done"

    task = asyncio.create_task(work())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(1)
    task.cancel()
    task.cancel()
    say(await outcome(task), "yes" if task.cancelled() else "no", task.cancelling())
    say("uncancel", task.uncancel(), task.uncancel(), task.uncancel(), task.uncancel())


async def cancel_self():
    async def work():
        asyncio.current_task().cancel()
        say("goes on")
        await asyncio.sleep(1)
        say("never")

    say(await outcome(asyncio.create_task(work())))


async def await_chain():
    async def inner():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            say("inner cancelled")
            raise

    async def stubborn():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "kept"

    async def outer(task):
        return await task

    for make in (inner, stubborn):
        task = asyncio.create_task(make())
        waiting = asyncio.create_task(outer(task))
        await asyncio.sleep(1)
        waiting.cancel()
        say(await outcome(waiting), await outcome(task))


async def callbacks():
    async def work():
        say("work")
        return 1

    task = asyncio.create_task(work())
    task.add_done_callback(lambda t: say("callback", t.result()))
    task.add_done_callback(lambda t: say("second"))
    await task
    await settled()
    task.add_done_callback(lambda t: say("late"))
    await settled()


async def left_behind():
    async def work(name):
        try:
            await asyncio.sleep(100)
        finally:
            say(name, "cleaned up")

    # One only: CPython cancels what is left in the order of a set, which differs from run to run.
    asyncio.create_task(work("a"))
    await asyncio.sleep(1)
    say("main ends")


run(order, yielding, cancel_waiting, cancel_before_start, swallow, cancel_self, await_chain, callbacks, left_behind)
