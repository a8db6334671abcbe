"""Celery as a contender: the app for its worker, and a client that does what it is told line by line on stdin."""

import json
import os
import sys
import time

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_REDIS"], backend=os.environ["BENCH_REDIS"])
app.conf.worker_prefetch_multiplier = int(os.environ.get("BENCH_PREFETCH", "4"))


@app.task(name="bench.add")
def add(x):
    return x + 1


def enqueue(n, results=True):
    global sent
    start = time.perf_counter()
    sent = [add.apply_async((x,), ignore_result=not results) for x in range(n)]
    return time.perf_counter() - start


def round_trips(n):
    start = time.perf_counter()
    values = [result.get() for result in [add.delay(x) for x in range(n)]]
    seconds = time.perf_counter() - start
    assert values == [x + 1 for x in range(n)], "wrong results"
    return seconds


def latencies(n):
    times = []
    for x in range(n):
        time.sleep(0.01)
        start = time.perf_counter()
        assert add.delay(x).get() == x + 1
        times.append((time.perf_counter() - start) * 1000)
    return times


def results(n):
    stored = app.backend.client.mget([app.backend.get_key_for_task(result.id) for result in sent[:n]])
    return [None if value is None else json.loads(value)["result"] for value in stored]


def ready():
    """Whether a worker answers."""
    return len(app.control.inspect(timeout=0.2).ping() or {})


def runs():
    """Runs of all pool processes, as the worker itself counts them."""
    stats = app.control.inspect(timeout=5).stats()
    return sum(one["total"].get("bench.add", 0) for one in stats.values())


if __name__ == "__main__":
    for line in sys.stdin:
        name, *args = json.loads(line)
        print(json.dumps(globals()[name](*args)), flush=True)
    # The results that are left would each end their subscription while Python itself is ending.
    os._exit(0)
