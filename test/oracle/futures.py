# The same calls on concurrent.futures as in futures.ts; each line is a result.
import logging
import multiprocessing
import os
import time
from concurrent import futures
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future

logging.disable(logging.CRITICAL)  # what callbacks throw is logged
context = multiprocessing.get_context('fork')
gates = [context.Event() for _ in range(4)]  # inherited by the processes
initialised = 'not initialised'


def say(*words):
    print(*[str(word).lower() if word in (True, False, None) else word for word in words], flush=True)


def outcome(call, *args, **options):
    try:
        return call(*args, **options)
    except ValueError:
        return 'refused'
    except futures.BrokenExecutor:
        return 'broken'
    except futures.InvalidStateError:
        return 'invalid state'
    except futures.TimeoutError:
        return 'timed out'
    except futures.CancelledError:
        return 'cancelled'
    except RuntimeError:
        return 'closed'
    except Exception as error:
        return f'{type(error).__name__} {error}'


def square(n):
    return n * n


def subtract(a, b):
    return a - b


def fail(word):
    raise RangeError(word)


class RangeError(Exception):
    pass


def fail_at_3(n):
    if n == 3:
        raise RangeError('three')
    return n


def pass_gate(number, value):
    gates[number + 1].set()
    gates[number].wait()
    return value


def initialise(value):
    global initialised
    initialised = value


def fail_to_initialise():
    raise RangeError('no')


def initialised_as():
    return initialised


def die():
    os._exit(3)


def results(make):
    with make(2) as pool:
        future = pool.submit(subtract, 7, 2)
        say(future.result(), future.done(), future.running(), future.cancelled(), future.exception(), future.cancel())
        failed = pool.submit(fail, 'far')
        error = failed.exception()
        say(type(error).__name__, error, failed.done(), failed.cancelled(), outcome(failed.result))


def maps(make):
    with make(2) as pool:
        say(*pool.map(square, [1, 2, 3, 4]))
        say(*pool.map(subtract, [10, 20, 30], [1, 2]))
        say(*pool.map(square, range(10), chunksize=3))
        say(len(list(pool.map(square, []))))
        iterator = pool.map(fail_at_3, [1, 2, 3, 4])
        say(next(iterator), next(iterator), outcome(next, iterator))
        say(len(list(iterator)))


def cancellation(make):
    with make(1) as pool:
        first = pool.submit(pass_gate, 0, 'first')
        others = [pool.submit(square, n) for n in range(6)]
        gates[1].wait()
        last = others[5]
        say(first.running(), first.cancel(), first.cancelled())
        said = []
        last.add_done_callback(lambda future: said.append('told'))
        say(last.running(), last.cancel(), last.cancelled(), last.done(), last.cancel(), *said)
        say(outcome(last.result), outcome(last.exception))
        gates[0].set()
        say(first.result(), *[future.result() for future in others[:5]])


def waits(make):
    with make(1) as pool:
        gate = pool.submit(pass_gate, 0, 'gate')
        gates[1].wait()
        for mode in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
            done, not_done = futures.wait([gate], timeout=0.02, return_when=mode)
            say(mode, len(done), len(not_done))
        gates[0].set()
        gate.result()
        say(*map(len, futures.wait([gate])), *map(len, futures.wait([])))
        say(*map(len, futures.wait([gate, gate])))
    with make(2) as pool:
        for event in gates:
            event.clear()
        blocked = pool.submit(pass_gate, 0, 'blocked')
        gates[1].wait()
        for mode, other in ((FIRST_COMPLETED, pool.submit(square, 3)), (FIRST_EXCEPTION, pool.submit(fail, 'far'))):
            done, not_done = futures.wait([blocked, other], return_when=mode)
            say(mode, other in done, blocked in not_done)
        gates[0].set()
        say(*map(len, futures.wait([blocked, other], return_when=ALL_COMPLETED)))
        say(outcome(futures.wait, [Future()], return_when='SOMETIMES'))


def completion(make):
    with make(2) as pool:
        blocked = pool.submit(pass_gate, 0, 'blocked')
        gates[1].wait()
        quick = pool.submit(square, 4)
        order = futures.as_completed([blocked, quick])
        say(next(order).result())
        gates[0].set()
        say(next(order).result(), len(list(order)))
        say(len(list(futures.as_completed([quick, quick]))), len(list(futures.as_completed([]))))
        for event in gates:
            event.clear()
        late = pool.submit(pass_gate, 0, 'late')
        try:
            for future in futures.as_completed([quick, late], timeout=0.05):
                say(future.result())
        except futures.TimeoutError as error:
            say('TimeoutError', error)
        gates[0].set()
        say(late.result())


def timeouts(make):
    with make(1) as pool:
        future = pool.submit(pass_gate, 0, 'at last')
        say(outcome(future.result, timeout=0.01), outcome(future.exception, timeout=0.01), future.done())
        gates[0].set()
        say(future.result(timeout=60), future.exception(timeout=0))


def callbacks(make):
    with make(1) as pool:
        said = []
        future = pool.submit(pass_gate, 0, 'value')
        future.add_done_callback(lambda f: said.append(f'first {f.result()}'))
        future.add_done_callback(lambda f: fail('in a callback'))
        future.add_done_callback(lambda f: said.append(f'third {f is future}'.lower()))
        gates[0].set()
        pool.submit(square, 1).result()
        say(*said)
        future.add_done_callback(lambda f: said.append('at once'))
        future.add_done_callback(lambda f: fail('in a callback'))
        say(said[-1])


def shutdowns(make):
    pool = make(1)
    blocked = pool.submit(pass_gate, 0, 'blocked')
    others = [pool.submit(square, n) for n in range(6)]
    gates[1].wait()
    pool.shutdown(wait=False)
    say(outcome(pool.submit, square, 1), outcome(pool.map, square, [1]), blocked.done())
    gates[0].set()
    pool.shutdown()
    say(blocked.result(), *[future.result() for future in others])
    pool.shutdown()
    for event in gates:
        event.clear()
    pool = make(1)
    blocked = pool.submit(pass_gate, 0, 'blocked')
    others = [pool.submit(square, n) for n in range(6)]
    gates[1].wait()
    pool.shutdown(wait=False, cancel_futures=True)
    while not others[5].done():  # wait() would not hear of it
        time.sleep(0.01)
    gates[0].set()
    pool.shutdown()
    say(blocked.result(), others[5].cancelled(), outcome(others[5].result))


def initializers(make):
    with make(2, initializer=initialise, initargs=('ready',)) as pool:
        say(*[pool.submit(initialised_as).result() for _ in range(3)])
    with make(1, initializer=fail_to_initialise) as pool:
        say(outcome(pool.submit(square, 1).result), outcome(pool.submit, square, 1))


def deaths(make):
    with make(1) as pool:
        say(outcome(pool.submit(die).result))


def by_hand(make):
    future = Future()
    say(future.done(), future.running(), future.set_running_or_notify_cancel(), future.running(), future.cancel())
    future.set_result(5)
    say(future.result(), outcome(future.set_result, 6), outcome(future.set_exception, RangeError('x')))
    cancelled = Future()
    say(cancelled.cancel(), cancelled.set_running_or_notify_cancel(), outcome(cancelled.set_result, 1))
    failed = Future()
    failed.set_exception(RangeError('given'))
    say(outcome(failed.result), failed.exception(), failed.done(), failed.running())
    say(outcome(Future().result, timeout=0))


def arguments(make):
    for workers in (0, -1):
        say(outcome(make, workers))


def threads(workers, **options):
    return futures.ThreadPoolExecutor(workers, **options)


def processes(workers, **options):
    return futures.ProcessPoolExecutor(workers, mp_context=context, **options)


for make in (threads, processes):
    for scenario in (
        results, maps, cancellation, waits, completion, timeouts, callbacks, shutdowns, initializers, by_hand, arguments
    ):
        print('#', make.__name__, scenario.__name__.replace('_', ''), flush=True)
        for event in gates:
            event.clear()
        scenario(make)
print('# deaths', flush=True)
deaths(processes)
