import asyncio
import json
import statistics
import sys
import time

body, n = sys.argv[1], int(sys.argv[2])


async def noop():
    return 1


async def sleep():
    await asyncio.sleep(0)
    return 1


async def main():
    work = {"noop": noop, "sleep": sleep}[body]
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        done = sum(await asyncio.gather(*[asyncio.create_task(work()) for _ in range(n)]))
        rates.append(n / (time.perf_counter() - start))
    print(json.dumps({"perSecond": statistics.median(rates), "done": done}))


asyncio.run(main())
