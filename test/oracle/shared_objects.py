# The same calls on threading's and multiprocessing's objects as in shared_objects.ts; each line is a result.
import multiprocessing, multiprocessing.connection, queue, sys, threading, time
from multiprocessing.shared_memory import ShareableList


def say(*words):
    print(*words, flush=True)


def attempt(what, call, *args):
    try:
        result = call(*args)
        say(what, "none" if result is None else str(result).lower())
    except (queue.Full, queue.Empty) as error:
        say(what, type(error).__name__.lower())
    except Exception:
        say(what, "error")


def locks(m):
    lock = m.Lock()
    attempt("acquire", lock.acquire)
    attempt("again", lambda: lock.acquire(False))
    attempt("in time", lambda: lock.acquire(timeout=0.01))
    attempt("release", lock.release)
    attempt("release again", lock.release)
    again = m.RLock()
    for _ in range(3):
        attempt("acquire", again.acquire)
    for _ in range(4):
        attempt("release", again.release)


def semaphores(m):
    semaphore = m.Semaphore(2)
    for _ in range(3):
        attempt("acquire", lambda: semaphore.acquire(False))
    for _ in range(4):
        attempt("release", semaphore.release)
    bounded = m.BoundedSemaphore(1)
    attempt("over", bounded.release)
    attempt("acquire", bounded.acquire)
    attempt("release", bounded.release)
    attempt("over", bounded.release)
    attempt("negative", lambda: m.Semaphore(-1))


def events(m):
    event = m.Event()
    attempt("is set", event.is_set)
    attempt("wait", lambda: event.wait(0.01))
    attempt("set", event.set)
    attempt("wait", event.wait)
    attempt("clear", event.clear)
    attempt("is set", event.is_set)


def conditions(m):
    condition = m.Condition()
    attempt("notify", condition.notify)
    attempt("wait", condition.wait)
    condition.acquire()
    attempt("notify", condition.notify)
    attempt("wait", lambda: condition.wait(0.01))
    attempt("wait for", lambda: condition.wait_for(lambda: False, 0.01))
    attempt("wait for", lambda: condition.wait_for(lambda: 7, 0.01))
    attempt("release", condition.release)


def barriers(m):
    one = m.Barrier(1)
    attempt("alone", one.wait)
    attempt("waiting", lambda: one.n_waiting)
    two = m.Barrier(2)
    attempt("parties", lambda: two.parties)
    attempt("wait", lambda: two.wait(0.01))
    attempt("broken", lambda: two.broken)
    attempt("wait", two.wait)
    attempt("reset", two.reset)
    attempt("broken", lambda: two.broken)
    attempt("abort", two.abort)
    attempt("broken", lambda: two.broken)


def settle():
    time.sleep(0.1)  # multiprocessing's feeder thread


def queues(make):
    q = make(2)
    attempt("empty", lambda: q.get(False))
    attempt("put", lambda: q.put(1))
    attempt("put", lambda: q.put(2))
    attempt("put", lambda: q.put(3, False))
    attempt("put", lambda: q.put(3, True, 0.01))
    settle()
    attempt("full", q.full)
    attempt("get", q.get)
    attempt("get", q.get)
    settle()
    attempt("empty", q.empty)
    attempt("get", lambda: q.get(True, 0.01))
    attempt("done", q.task_done)
    attempt("done", q.task_done)
    attempt("done", q.task_done)
    attempt("join", q.join)


def orders():
    stack, ranked = queue.LifoQueue(), queue.PriorityQueue()
    for item in (3, 1, 2):
        stack.put(item)
        ranked.put(item)
    for _ in range(3):
        attempt("last", stack.get)
        attempt("least", ranked.get)


def leave(code):
    sys.exit(code)


def fail():
    sys.stderr = None
    raise ValueError()


def sleep():
    time.sleep(60)


def processes():
    for target, args in ((leave, (0,)), (leave, (3,)), (fail, ())):
        process = multiprocessing.Process(target=target, args=args)
        attempt("alive", process.is_alive)
        attempt("join", process.join)
        process.start()
        attempt("start", process.start)
        process.join()
        attempt("exit code", lambda: process.exitcode)
        attempt("alive", process.is_alive)
    for end in ("terminate", "kill"):
        process = multiprocessing.Process(target=sleep)
        process.start()
        attempt("close", process.close)
        getattr(process, end)()
        process.join()
        attempt("exit code", lambda: process.exitcode)
        attempt("close", process.close)


def values():
    number = multiprocessing.Value("i", 5)
    attempt("value", lambda: number.value)
    numbers = multiprocessing.Array("i", [1, 2, 3])
    attempt("last", lambda: numbers[-1])
    attempt("beyond", lambda: numbers[3])
    attempt("length", lambda: len(numbers))
    attempt("type", lambda: multiprocessing.Value("i", 1.5))
    items = ShareableList([1.5, "text", None, True])
    attempt("item", lambda: items[1])
    attempt("set", lambda: items.__setitem__(1, "12345678"))
    attempt("item", lambda: items[1])
    attempt("too long", lambda: items.__setitem__(1, "123456789"))
    attempt("beyond", lambda: items[4])
    attempt("count", lambda: items.count(None))
    attempt("index", lambda: items.index(True))
    items.shm.close()
    items.shm.unlink()


def pipes():
    reader, writer = multiprocessing.Pipe(False)
    attempt("poll", reader.poll)
    attempt("send", lambda: writer.send(7))
    attempt("poll", reader.poll)
    attempt("receive", reader.recv)
    attempt("send the wrong way", lambda: reader.send(1))
    writer.close()
    attempt("end", reader.recv)
    attempt("closed", lambda: writer.send(1))


def waits():
    one, two = multiprocessing.Pipe(), multiprocessing.Pipe()
    ends = [one[0], two[0]]
    ready = lambda timeout: len(multiprocessing.connection.wait(ends, timeout))
    attempt("none", lambda: ready(0))
    attempt("none in time", lambda: ready(0.01))
    one[1].send(1)
    attempt("a message", lambda: ready(None))
    two[1].close()
    attempt("and an end", lambda: ready(None))
    one[0].recv()
    attempt("the end", lambda: ready(None))
    process = multiprocessing.Process(target=leave, args=(0,))
    process.start()
    attempt("a process", lambda: len(multiprocessing.connection.wait([process.sentinel, one[0]])))
    process.join()
    attempt("nothing", lambda: len(multiprocessing.connection.wait([], 0)))


def nothing():
    pass


def threads():
    thread = threading.Thread(target=nothing, name="worker", daemon=True)
    attempt("name", lambda: thread.name)
    attempt("daemon", lambda: thread.daemon)
    attempt("alive", thread.is_alive)
    attempt("ident", lambda: thread.ident)
    attempt("join", thread.join)
    thread.start()
    attempt("start", thread.start)
    thread.join()
    attempt("alive", thread.is_alive)
    attempt("active", threading.active_count)
    attempt("main", lambda: threading.current_thread().name)
    timer = threading.Timer(60, nothing)
    timer.start()
    attempt("alive", timer.is_alive)
    timer.cancel()
    timer.join()
    attempt("alive", timer.is_alive)


def managers():
    with multiprocessing.Manager() as manager:
        scores = manager.dict({"anna": 1})
        scores["ben"] = 2
        attempt("get", lambda: scores.get("anna"))
        attempt("missing", lambda: scores.get("carl"))
        attempt("setdefault", lambda: scores.setdefault("ben", 9))
        attempt("has", lambda: "ben" in scores)
        attempt("size", lambda: len(scores))
        attempt("keys", lambda: ",".join(scores.keys()))
        items = manager.list([1, 2])
        items.append(3)
        attempt("last", lambda: items[-1])
        attempt("pop", items.pop)
        attempt("pop first", lambda: items.pop(0))
        attempt("beyond", lambda: items[5])
        attempt("length", lambda: len(items))
        values = manager.Queue(1)
        values.put(1)
        attempt("full", lambda: values.put(2, False))
        attempt("get", values.get)
        attempt("empty", lambda: values.get(False))
        lock = manager.Lock()
        attempt("acquire", lock.acquire)
        attempt("again", lambda: lock.acquire(False))
        attempt("release", lock.release)
        attempt("release", lock.release)
        semaphore = manager.BoundedSemaphore(1)
        attempt("acquire", semaphore.acquire)
        attempt("release", semaphore.release)
        attempt("release", semaphore.release)
        rlock = manager.RLock()
        attempt("acquire", rlock.acquire)
        attempt("acquire", rlock.acquire)
        attempt("release", rlock.release)
        attempt("release", rlock.release)
        attempt("release", rlock.release)
        event = manager.Event()
        attempt("wait", lambda: event.wait(0.01))
        attempt("set", event.set)
        attempt("wait", event.wait)
        value = manager.Value("i", 5)
        value.value = 6
        attempt("value", lambda: value.value)
        numbers = manager.Array("b", [1, 2])
        numbers[1] = 127
        attempt("number", lambda: numbers[1])
        attempt("too large", lambda: numbers.__setitem__(0, 128))


for m in (threading, multiprocessing):
    for area in (locks, semaphores, events, conditions, barriers):
        say("#", area.__name__)
        area(m)
for make in (queue.Queue, multiprocessing.JoinableQueue):
    say("# queues")
    queues(make)
for area in (orders, processes, values, pipes, waits, threads, managers):
    say("#", area.__name__)
    area()
