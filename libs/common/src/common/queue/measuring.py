"""The numbers of a worker for Prometheus, at a port of its own inside the system."""

import json
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common import metrics
from common.metrics import Gauge, Histogram, process

PATH = "/metrics"
SENT_AT = "sent_at"
"""The header of a message that says when it was sent, in seconds since 1970."""

TASKS = Histogram("waystation_task_seconds", "Tasks and their times, by task and outcome.", ["task", "outcome"])
DEPTH = Gauge("waystation_queue_messages", "Messages that no worker has taken yet.", ["queue"])
AGE = Gauge("waystation_queue_age_seconds", "The age of the oldest message that no worker has taken yet.", ["queue"])

assert process.INFO, "imported, so that every worker has the numbers of its process"


@contextmanager
def measured(task: str) -> Generator[None]:
    """Count the block as one run of a task."""
    begun, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "done"
    finally:
        TASKS.observe(time.monotonic() - begun, task, outcome)


def look_at(queues: Mapping[str, Celery]) -> None:
    """Look at the queues of this worker, each with an application that is connected to its broker."""
    for queue, app in queues.items():
        try:
            with app.connection_or_acquire() as connection:
                client = cast("Any", connection.default_channel).client
                depth, oldest = client.llen(queue), client.lindex(queue, -1)
        except (OperationalError, RedisError):
            DEPTH.clear()
            AGE.clear()
            return
        DEPTH.set(queue, to=depth)
        AGE.set(queue, to=_age(oldest) if oldest else 0)


def _age(message: bytes) -> float:
    sent = json.loads(message).get("headers", {}).get(SENT_AT)
    return max(0.0, time.time() - sent) if isinstance(sent, (int, float)) else 0.0


class _Scrapes(BaseHTTPRequestHandler):
    queues: Mapping[str, Celery]

    def do_GET(self) -> None:
        if self.path != PATH:
            self.send_error(404)
            return
        look_at(self.queues)
        body = metrics.exposition().encode()
        self.send_response(200)
        self.send_header("Content-Type", metrics.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def serve_metrics(port: int, apps: Sequence[tuple[str, Celery]], host: str = "0.0.0.0") -> ThreadingHTTPServer:  # noqa: S104
    """Answer scrapes at `port`, in a thread, until the process ends. Whoever reaches the port may read the numbers."""
    handler = type("Scrapes", (_Scrapes,), {"queues": dict(apps)})
    server = ThreadingHTTPServer((host, port), handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
