import asyncio
from asyncio_virtual import outcome, run, say


async def pipeline():
    queue = asyncio.Queue(2)

    async def produce(name, start):
        await asyncio.sleep(start)
        for i in range(3):
            await queue.put(f"{name}{i}")
            await asyncio.sleep(0.125)
            say("put", f"{name}{i}")

    async def consume():
        for _ in range(6):
            await asyncio.sleep(1)
            say("got", await queue.get())
            queue.task_done()

    producers = [asyncio.create_task(produce(name, start)) for name, start in [("a", 0.25), ("b", 0.5)]]
    consumer = asyncio.create_task(consume())
    await asyncio.gather(*producers)
    say("all put")
    await queue.join()
    say("joined")
    await consumer


async def getters():
    queue = asyncio.Queue()

    async def get(name):
        say(name, await queue.get())

    tasks = [asyncio.create_task(get(name)) for name in "abc"]
    await asyncio.sleep(1)
    tasks[1].cancel()
    await queue.put(1)
    await queue.put(2)
    for task in tasks:
        await outcome(task)


async def putters():
    queue = asyncio.Queue(1)
    await queue.put(0)

    async def put(item):
        await queue.put(item)

    tasks = [asyncio.create_task(put(i)) for i in (1, 2, 3)]
    await asyncio.sleep(1)
    tasks[1].cancel()
    await asyncio.sleep(1)
    say("items", await queue.get(), await queue.get(), await queue.get(), queue.empty() and "empty")
    for task in tasks:
        await outcome(task)


async def orders():
    for make in (asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue):
        queue = make()
        for item in (3, 1, 4, 1, 5):
            queue.put_nowait(item)
        say(*[queue.get_nowait() for _ in range(5)])


async def misuse():
    queue = asyncio.Queue(1)
    try:
        queue.get_nowait()
    except asyncio.QueueEmpty:
        say("empty")
    queue.put_nowait(1)
    try:
        queue.put_nowait(2)
    except asyncio.QueueFull:
        say("full")
    queue.task_done()
    try:
        queue.task_done()
    except ValueError as error:
        say(str(error).replace("task_done", "taskDone"))


run(pipeline, getters, putters, orders, misuse)
