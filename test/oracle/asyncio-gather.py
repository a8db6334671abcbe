import asyncio
from asyncio_virtual import outcome, run, say


async def nap(seconds, value):
    await asyncio.sleep(seconds)
    return value


async def fail(seconds, name="ValueError"):
    await asyncio.sleep(seconds)
    say("fails", name)
    raise {"ValueError": ValueError, "TypeError": TypeError}[name](name)


def show(values):
    return " ".join(type(v).__name__ if isinstance(v, BaseException) else str(v) for v in values)


async def results():
    say(show(await asyncio.gather(nap(3, "a"), nap(1, "b"), nap(2, "c"))))
    say("empty", show(await asyncio.gather()))


async def first_failure():
    other = asyncio.create_task(nap(5, "other"))
    say(await outcome(asyncio.gather(fail(1, "TypeError"), other, fail(2, "TypeError"))))
    say(await outcome(other))


async def return_exceptions():
    cancelled = asyncio.create_task(nap(5, "x"))
    asyncio.get_running_loop().call_later(1, cancelled.cancel)
    say(show(await asyncio.gather(fail(2, "TypeError"), nap(1, "ok"), cancelled, return_exceptions=True)))


async def outer_cancelled():
    for flag in (False, True):
        children = [asyncio.create_task(nap(5, i)) for i in range(2)]

        async def wait():
            return await asyncio.gather(*children, return_exceptions=flag)

        task = asyncio.create_task(wait())
        await asyncio.sleep(1)
        task.cancel()
        say(await outcome(task), *["yes" if c.cancelled() else "no" for c in children])


async def inner_cancelled():
    children = [asyncio.create_task(nap(5, i)) for i in range(2)]
    both = asyncio.gather(*children)
    await asyncio.sleep(1)
    children[0].cancel()
    say(await outcome(both), "yes" if both.cancelled() else "no")
    say(await outcome(children[1]))


async def swallowing_child():
    async def child():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            say("swallowed")
            await asyncio.sleep(1)
            return "kept"

    both = asyncio.gather(child(), nap(5, "b"))
    await asyncio.sleep(1)
    both.cancel()
    say(await outcome(both))
    await asyncio.sleep(3)


async def shielding():
    inner = asyncio.create_task(nap(5, "inner"))

    async def wait():
        return await asyncio.shield(inner)

    task = asyncio.create_task(wait())
    await asyncio.sleep(1)
    task.cancel()
    say(await outcome(task))
    say(await outcome(inner))
    inner = asyncio.create_task(nap(5, "inner"))
    shield = asyncio.shield(inner)
    await asyncio.sleep(1)
    inner.cancel()
    say(await outcome(shield), "yes" if shield.cancelled() else "no")


run(results, first_failure, return_exceptions, outer_cancelled, inner_cancelled, swallowing_child, shielding)
