"""The workloads of workloads.ts for CPython's pools: prints value, operations and CPU seconds of the measured part."""

import concurrent.futures
import itertools
import json
import multiprocessing
import os
import sys
import threading
import time

WORKERS = 2
counter = itertools.count(1)  # its next() is atomic among threads
ran = 0


def echo(value):
    global ran
    ran = next(counter)
    return value


def tally(threads):
    time.sleep(0.005)
    return (threading.get_ident() if threads else os.getpid()), ran


def kilobyte(i):
    return (f'{i} ' + 'abcdefghij' * 103)[:1024]


def total(submit, threads):
    counts = {}
    for _ in range(50):
        for worker, count in [future.result() for future in [submit(tally, threads) for _ in range(WORKERS * 4)]]:
            counts[worker] = count
        if len(counts) == WORKERS:
            return max(counts.values()) if threads else sum(counts.values())
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


def calls(executor_class, threads, n, payload):
    with executor_class(WORKERS) as executor:
        payloads = [payload(i) for i in range(n)]
        round = lambda some: [future.result() for future in [executor.submit(echo, value) for value in some]]
        round(payloads[: n // 5])
        before = total(executor.submit, threads)
        results, sample = measure(n, lambda: round(payloads))
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
    'threads-noop': lambda n: calls(concurrent.futures.ThreadPoolExecutor, True, n, same),
    'threads-1k': lambda n: calls(concurrent.futures.ThreadPoolExecutor, True, n, kilobyte),
    'processes-noop': lambda n: calls(concurrent.futures.ProcessPoolExecutor, False, n, same),
    'processes-1k': lambda n: calls(concurrent.futures.ProcessPoolExecutor, False, n, kilobyte),
    'map': pool_map,
}

if __name__ == '__main__':
    print(json.dumps(workloads[sys.argv[1]](int(sys.argv[2]))))
