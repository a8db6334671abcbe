# The same calls on multiprocessing's Pool and ThreadPool as in pool.ts; each line is a result.
import multiprocessing
import os
import threading
from multiprocessing.pool import ThreadPool

context = multiprocessing.get_context('fork')
gates = [context.Event() for _ in range(2)]  # inherited by the processes
initialised = 'not initialised'


def say(*words):
    print(*[str(word).lower() if word in (True, False, None) else word for word in words], flush=True)


def outcome(call, *args, **options):
    try:
        return call(*args, **options)
    except ValueError:
        return 'refused'
    except multiprocessing.TimeoutError:
        return 'timed out'
    except StopIteration:
        return 'over'
    except Exception as error:
        return f'{type(error).__name__} {error}'


class RangeError(Exception):
    pass


def square(n):
    return n * n


def subtract(a, b):
    return a - b


def fail(word):
    raise RangeError(word)


def fail_at_3(n):
    if n == 3:
        raise RangeError('three')
    return n


def pass_gate(value):
    gates[1].set()
    gates[0].wait()
    return value


def initialise(value):
    global initialised
    initialised = value


def initialised_as():
    return initialised


def worker():
    return os.getpid(), threading.get_native_id()


def apply(make):
    with make(2) as pool:
        say(pool.apply(square, [5]), pool.apply(subtract, [7, 2]))
        say(outcome(pool.apply, fail, ['far']))


def apply_async(make):
    with make(2) as pool:
        result = pool.apply_async(pass_gate, ['value'])
        say(result.ready(), outcome(result.successful), outcome(result.get, timeout=0.01), outcome(result.wait, 0.01))
        gates[0].set()
        say(result.get(), result.ready(), result.successful(), result.get(timeout=0))
        failed = pool.apply_async(fail, ['far'])
        failed.wait()
        say(failed.ready(), failed.successful(), outcome(failed.get))


def callbacks(make):
    with make(1) as pool:
        said = []
        tell = lambda what: (lambda value: said.append(f'{what} {value}'))
        both = {'callback': tell('result'), 'error_callback': tell('error')}
        results = [
            pool.apply_async(square, [3], **both),
            pool.apply_async(fail, ['far'], **both),
            pool.map_async(square, [1, 2], 1, **both),
            pool.starmap_async(subtract, [[5, 1], [9, 2]], 1, **both),
            pool.map_async(fail_at_3, [1, 3, 2], 1, **both),
        ]
        for result in results:
            result.wait()
        say(', '.join(said))


def maps(make):
    with make(2) as pool:
        say(*pool.map(square, [1, 2, 3]), *pool.map(square, range(5), 2), len(pool.map(square, [])))
        say(*pool.starmap(subtract, [[10, 1], [20, 2]]), *pool.starmap(subtract, [(10, 1), (20, 2)], chunksize=5))
        say(outcome(pool.map, fail_at_3, [1, 2, 3, 4], 1))
        result = pool.map_async(square, [3, 4])
        say(*result.get(), result.successful())


def imaps(make):
    with make(2) as pool:
        say(*pool.imap(square, [1, 2, 3]), *pool.imap(square, iter([4, 5, 6]), chunksize=2))
        iterator = pool.imap(fail_at_3, [1, 2, 3, 4])
        say(*[outcome(next, iterator) for _ in range(6)])
        say(*sorted(pool.imap_unordered(square, range(6), chunksize=2)))
        iterator = pool.imap_unordered(fail_at_3, [3])
        say(outcome(next, iterator), outcome(next, iterator))
        say(outcome(pool.imap, square, [1], 0), outcome(pool.imap_unordered, square, [1], 0))


def unordered(make):
    with make(2) as pool:
        iterator = pool.imap_unordered(gate_or_square, ['gate', 3])
        say(next(iterator))
        gates[0].set()
        say(next(iterator), outcome(next, iterator))


def gate_or_square(item):
    return pass_gate(item) if item == 'gate' else square(item)


def ends(make):
    pool = make(1)
    say(outcome(pool.join))
    result = pool.apply_async(pass_gate, ['finished'])
    gates[1].wait()
    waiting = pool.map_async(square, [1, 2, 3])
    pool.close()
    pool.close()
    for call in (pool.apply, pool.apply_async, pool.map, pool.map_async, pool.starmap):
        say(outcome(call, square, [1]))
    for call in (pool.imap, pool.imap_unordered):
        say(outcome(call, square, [1]))
    gates[0].set()
    pool.join()
    say(result.get(), *waiting.get())
    pool = make(1)
    pool.terminate()
    pool.terminate()
    pool.join()
    say(outcome(pool.apply, square, [1]))


def termination(make):
    with make(1) as pool:
        say(pool.apply(square, [2]))
    say(outcome(pool.apply, square, [2]))


def initializers(make):
    with make(2, initialise, ('ready',)) as pool:
        say(*[pool.apply(initialised_as) for _ in range(3)])


def recycling(make):
    with context.Pool(1, maxtasksperchild=2) as pool:
        pids = [pool.apply(worker) for _ in range(6)]
        say(len(set(pids)), pids[0] == pids[1], pids[1] == pids[2])


def arguments(make):
    for workers in (0, -1):
        say(outcome(make, workers))


def processes(*args):
    return context.Pool(*args)


def threads(*args):
    return ThreadPool(*args)


for make in (threads, processes):
    for scenario in (
        apply, apply_async, callbacks, maps, imaps, unordered, ends, termination, initializers, arguments
    ):
        print('#', make.__name__, scenario.__name__.replace('_', ''), flush=True)
        for event in gates:
            event.clear()
        scenario(make)
print('# recycling', flush=True)
recycling(processes)
