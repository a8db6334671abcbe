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
local = threading.local()


def echo(value):
    local.ran = getattr(local, 'ran', 0) + 1
    return value


def tally(threads):
    time.sleep(0.005)
    return (threading.get_ident() if threads else os.getpid()), getattr(local, 'ran', 0)


def kilobyte(i):
    return (f'{i} ' + 'abcdefghij' * 103)[:1024]


def total(submit, threads):
    counts = {}
    for _ in range(50):
        for worker, count in [future.result() for future in [submit(tally, threads) for _ in range(WORKERS * 4)]]:
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


def window(submit, payloads, depth):
    futures = collections.deque(submit(echo, value) for value in payloads[:depth])
    results = []
    for value in payloads[depth:]:
        results.append(futures.popleft().result())
        futures.append(submit(echo, value))
    return results + [future.result() for future in futures]


def calls(executor_class, threads, n, depth, payload):
    with executor_class(WORKERS) as executor:
        payloads = [payload(i) for i in range(n)]
        window(executor.submit, payloads[: n // 5], depth)
        before = total(executor.submit, threads)
        results, sample = measure(n, lambda: window(executor.submit, payloads, depth))
        assert results == payloads, 'results that are not the argument'
        assert total(executor.submit, threads) - before == n, 'tasks lost or run twice'
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
    'threads-noop': lambda n, depth: calls(concurrent.futures.ThreadPoolExecutor, True, n, depth, same),
    'threads-1k': lambda n, depth: calls(concurrent.futures.ThreadPoolExecutor, True, n, depth, kilobyte),
    'processes-noop': lambda n, depth: calls(concurrent.futures.ProcessPoolExecutor, False, n, depth, same),
    'processes-1k': lambda n, depth: calls(concurrent.futures.ProcessPoolExecutor, False, n, depth, kilobyte),
    'map': pool_map,
}

if __name__ == '__main__':
    print(json.dumps(workloads[sys.argv[1]](*map(int, sys.argv[2:]))))
