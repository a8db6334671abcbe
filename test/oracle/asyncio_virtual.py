"""A loop whose time jumps to the next timer, and the log of a trace: what the paired TypeScript has in trace.ts."""
import asyncio
import heapq


class VirtualLoop(asyncio.SelectorEventLoop):
    _now = 0.0

    def time(self):
        return self._now

    def _run_once(self):
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(self._scheduled)._scheduled = False
        if not self._ready and self._scheduled:
            self._now = max(self._now, self._scheduled[0]._when)
        super()._run_once()


def say(*words):
    print(f"{asyncio.get_running_loop().time():g}", *words, flush=True)


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


def kind(error):
    """The name of an error, which differs in a few places."""
    return {"BrokenBarrierError": "BrokenBarrierError", "ExceptionGroup": "TaskGroupError"}.get(
        type(error).__name__, type(error).__name__
    )


async def outcome(awaitable):
    try:
        return await awaitable
    except BaseException as error:
        return kind(error)


def run(*scenarios):
    for scenario in scenarios:
        print("#", scenario.__name__, flush=True)
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(scenario())
