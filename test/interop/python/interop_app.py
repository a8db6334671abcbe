"""The Python half of the interop suite: the app and its tasks, for a worker and for a client alike.

The names of the tasks are those of test/interop/app.ts; queues tell which half runs them.
"""

import os
import time

from celery import Celery
from celery.exceptions import Ignore, Reject

URL = os.environ["INTEROP_URL"]

app = Celery("interop", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": float(os.environ.get("INTEROP_VISIBILITY", "3600"))},
    result_backend_transport_options={"visibility_timeout": 3600},
    task_default_queue="python",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_send_sent_event=False,
)


class OutOfStock(Exception):
    """Has a twin in TypeScript."""


def record(path, line):
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")


@app.task(name="interop.add")
def add(x, y=0):
    return x + y


@app.task(name="interop.who")
def who(path=None, seconds=0):
    if path is not None:
        record(path, "python")
    time.sleep(seconds)
    return "python"


@app.task(name="interop.held", acks_late=True)
def held(path):
    """Runs until there is a file of that name and `.end`."""
    record(path, f"python begins {time.time()}")
    while not os.path.exists(path + ".end"):
        time.sleep(0.02)
    record(path, f"python ends {time.time()}")
    return "python"


@app.task(name="interop.echo")
def echo(value):
    return value


@app.task(name="interop.described")
def described(value):
    return [type(value).__name__, repr(value)]


@app.task(name="interop.fail")
def fail():
    raise ValueError("boom", 42)


@app.task(name="interop.out_of_stock")
def out_of_stock():
    raise OutOfStock("no more of it")


@app.task(name="interop.retried", bind=True, max_retries=5, default_retry_delay=0.1)
def retried(self, times):
    if self.request.retries < times:
        raise self.retry(exc=KeyError("again"), countdown=0.2)
    return self.request.retries


@app.task(name="interop.given_up", bind=True, max_retries=1)
def given_up(self):
    raise self.retry(exc=KeyError("again"), countdown=0.1)


@app.task(name="interop.request", bind=True)
def request(self, *args, **kwargs):
    r = self.request
    return {
        "id": r.id,
        "args": args,
        "kwargs": kwargs,
        "root_id": r.root_id,
        "parent_id": r.parent_id,
        "retries": r.retries,
        "eta": r.eta,
        "expires": r.expires,
        "timelimit": r.timelimit,
        "shadow": r.shadow,
        "ignore_result": r.ignore_result,
        # An attribute in every version; in `headers` since 5.3 or so.
        "tenant": getattr(r, "tenant", None),
        "headers": r.headers,
        "correlation_id": r.correlation_id,
        "priority": r.delivery_info["priority"],
        "routing_key": r.delivery_info["routing_key"],
        "origin": r.origin,
        "now": time.time(),
    }


@app.task(name="interop.silent", ignore_result=True)
def silent(path):
    record(path, "python")
    return "never seen"


@app.task(name="interop.ignored")
def ignored():
    raise Ignore()


@app.task(name="interop.rejected", acks_late=True)
def rejected():
    raise Reject("no", requeue=False)


@app.task(name="interop.progress", bind=True)
def progress(self):
    self.update_state(state="PROGRESS", meta={"fraction": 0.5})
    return "done"


@app.task(name="interop.parent")
def parent():
    return add.apply_async((1, 2), queue="python").id
