import asyncio
from asyncio_virtual import outcome, run, say


async def work(name, seconds, ending=None):
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        say(name, "cancelled")
        if ending == "fail late":
            raise TypeError(name)
        raise
    say(name, "ends")
    if ending == "fail":
        raise TypeError(name)
    return name


async def caught(awaitable):
    try:
        say("result", await awaitable)
    except ExceptionGroup as group:
        say("group", *[f"{type(e).__name__}({e})" for e in group.exceptions])
    except BaseException as error:
        say("error", type(error).__name__)


async def plain():
    async with asyncio.TaskGroup() as group:
        a = group.create_task(work("a", 2))
        group.create_task(work("b", 1))
        say("body ends")
    say("joined", a.result())


async def failing():
    async def body():
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", 1, "fail"))
            group.create_task(work("b", 9, "fail late"))
            group.create_task(work("c", 9))
            await work("body", 9)

    await caught(body())
    say(asyncio.current_task().cancelling())


async def failing_body():
    async def body():
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", 9))
            await asyncio.sleep(1)
            raise TypeError("body")

    await caught(body())


async def while_joining():
    async def body():
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", 1, "fail"))
            group.create_task(work("b", 9))

    await caught(body())


async def cancelled_child():
    async def body():
        async with asyncio.TaskGroup() as group:
            child = group.create_task(work("a", 9))
            group.create_task(work("b", 3))
            await asyncio.sleep(1)
            child.cancel()
        return "fine"

    await caught(body())


async def cancelled_outside():
    async def body(seconds):
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", 9))
            group.create_task(work("b", 9))
            await asyncio.sleep(seconds)

    for seconds in (0, 9):
        task = asyncio.create_task(body(seconds))
        await asyncio.sleep(1)
        task.cancel()
        await caught(task)
        say("yes" if task.cancelled() else "no")


async def nested():
    async def inner():
        async with asyncio.TaskGroup() as group:
            group.create_task(work("leaf", 1, "fail"))
            group.create_task(work("twig", 9))

    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
            group.create_task(work("other", 9))

    try:
        await outer()
    except ExceptionGroup as group:
        say(len(group.exceptions), len(group.exceptions[0].exceptions), group.exceptions[0].exceptions[0])


async def under_timeout():
    async def body():
        async with asyncio.timeout(2):
            async with asyncio.TaskGroup() as group:
                group.create_task(work("a", 9))
                await work("body", 9)

    say(await outcome(body()))


async def late_tasks():
    async def parent(group):
        await asyncio.sleep(1)
        group.create_task(work("late", 1))

    async with asyncio.TaskGroup() as group:
        group.create_task(parent(group))
    say("joined")


run(plain, failing, failing_body, while_joining, cancelled_child, cancelled_outside, nested, under_timeout, late_tasks)
