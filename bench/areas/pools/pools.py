"""The workloads of workloads.ts for CPython's pools: prints value, operations and CPU seconds of the measured part."""

import collections
import concurrent.futures
import json
import multiprocessing
import os
import sys
import threading
import time

WORKERS = 2
ran = 0
local = threading.local()


def echo(value):
    global ran
    ran += 1
    return value


def echo_in_thread(value):
    local.ran = getattr(local, 'ran', 0) + 1
    return value


def tally():
    time.sleep(0.005)
    return os.getpid(), ran


def tally_in_thread():
    time.sleep(0.005)
    return threading.get_ident(), getattr(local, 'ran', 0)


kilobytes = [(f'{i} ' + 'abcdefghij' * 103)[:1024] for i in range(256)]


def kilobyte(i):
    return kilobytes[i % 256]


def total(submit, tally):
    counts = {}
    for _ in range(50):
        for worker, count in [future.result() for future in [submit(tally) for _ in range(WORKERS * 4)]]:
            counts[worker] = count
        if len(counts) == WORKERS:
            return sum(counts.values())
    raise SystemExit('a worker does not answer')


def cpu_seconds():
    seconds = time.process_time()
    for pid in (child.pid for child in multiprocessing.active_children()):
        with open(f'/proc/{pid}/stat', encoding='latin1') as stat:
            fields = stat.read().rpartition(') ')[2].split(' ')
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return seconds


def measure(n, work):
    cpu, start = cpu_seconds(), time.perf_counter()
    results = work()
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    return results, {'value': n / seconds, 'operations': n, 'cpuSeconds': cpu}


def window(submit, echo, payloads, depth):
    futures = collections.deque(submit(echo, value) for value in payloads[:depth])
    results = []
    for value in payloads[depth:]:
        results.append(futures.popleft().result())
        futures.append(submit(echo, value))
    return results + [future.result() for future in futures]


def calls(executor_class, echo, tally, n, depth, payload):
    with executor_class(WORKERS) as executor:
        payloads = [payload(i) for i in range(n)]
        window(executor.submit, echo, payloads[: n // 5], depth)
        before = total(executor.submit, tally)
        results, sample = measure(n, lambda: window(executor.submit, echo, payloads, depth))
        assert results == payloads, 'results that are not the argument'
        assert total(executor.submit, tally) - before == n, 'tasks lost or run twice'
        return sample


def pool_map(n):
    with multiprocessing.Pool(WORKERS) as pool:
        numbers = list(range(n))
        pool.map(echo, numbers)
        results, sample = measure(n, lambda: pool.map(echo, numbers))
        assert results == numbers
        return sample


def same(i):
    return i


workloads = {
    'threads-noop': lambda n, depth: calls(concurrent.futures.ThreadPoolExecutor, echo_in_thread, tally_in_thread, n, depth, same),
    'threads-1k': lambda n, depth: calls(concurrent.futures.ThreadPoolExecutor, echo_in_thread, tally_in_thread, n, depth, kilobyte),
    'processes-noop': lambda n, depth: calls(concurrent.futures.ProcessPoolExecutor, echo, tally, n, depth, same),
    'processes-1k': lambda n, depth: calls(concurrent.futures.ProcessPoolExecutor, echo, tally, n, depth, kilobyte),
    'map': pool_map,
}

if __name__ == '__main__':
    print(json.dumps(workloads[sys.argv[1]](*map(int, sys.argv[2:]))))
